/**
 * `npm run build:web`: the pages' scripts and style sheet, from src/web to dist/web. Every file has a
 * hash in its name, and its gzip and brotli forms beside it, made once here instead of at each request.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";
import solid from "vite-plugin-solid";

const root = fileURLToPath(new URL("../src/web", import.meta.url));
const outDir = fileURLToPath(new URL("../dist/web", import.meta.url));
const entry = (name) => join(root, name);

await build({
  configFile: false,
  root,
  base: "/assets/",
  logLevel: "warn",
  plugins: [solid()],
  build: {
    outDir,
    emptyOutDir: true,
    assetsDir: "",
    manifest: "manifest.json",
    target: "es2022",
    // A data: URL would need a hole in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: [entry("admin.tsx"), entry("download.ts"), entry("style.css")],
    },
  },
});

for (const name of readdirSync(outDir).filter((each) => /\.(js|css|svg)$/.test(each))) {
  const bytes = readFileSync(join(outDir, name));
  writeFileSync(join(outDir, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  writeFileSync(join(outDir, `${name}.br`), brotliCompressSync(bytes, { params }));
}
