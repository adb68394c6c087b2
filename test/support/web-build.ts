/** A built web side of one script and one style sheet, for tests that need no browser. */
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { WebBuild, WebFile } from "../../src/ports/web-build.ts";

/** A file of `text`. */
export function webFile(type: string, text: string): WebFile {
  const plain = Buffer.from(text);
  return { type, plain, gzip: gzipSync(plain), brotli: brotliCompressSync(plain) };
}

/** What the pages of tests load. */
export const testWebBuild: WebBuild = {
  files: new Map([
    ["/assets/app-1.js", webFile("text/javascript; charset=utf-8", "export {};".repeat(100))],
    ["/assets/style-1.css", webFile("text/css; charset=utf-8", "p { margin: 0 }".repeat(100))],
  ]),
  entry: (source) =>
    source === "style.css"
      ? { script: undefined, styles: ["/assets/style-1.css"], preloads: [] }
      : { script: "/assets/app-1.js", styles: [], preloads: [] },
};
