/** Reads what `npm run build:web` made, all of it at once: it is some hundred kilobytes. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { WebBuild, WebEntry, WebFile } from "../../ports/web-build.ts";

const PREFIX = "/assets/";

const types: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

/** A source's lines in Vite's manifest. */
interface ManifestEntry {
  readonly file: string;
  readonly css?: readonly string[];
  readonly imports?: readonly string[];
}

type Manifest = Readonly<Record<string, ManifestEntry>>;

/** Where the build is: beside the sources, and beside what was built of them. */
export const webBuildFolder = fileURLToPath(new URL("../../../dist/web", import.meta.url));

/** Reads the build in `folder`; undefined when there is none. */
export async function readWebBuild(folder = webBuildFolder): Promise<WebBuild | undefined> {
  const text = await readFile(join(folder, "manifest.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const manifest = JSON.parse(text) as Manifest;
  const names = (await readdir(folder)).filter((name) => typeOf(name) !== undefined);
  const files = await Promise.all(
    names.map(async (name) => [PREFIX + name, await readWebFile(folder, name)] as const),
  );
  return { files: new Map(files), entry: (source) => entryOf(manifest, source) };
}

async function readWebFile(folder: string, name: string): Promise<WebFile> {
  const [plain, gzip, brotli] = await Promise.all(
    ["", ".gz", ".br"].map((ending) => readFile(join(folder, name + ending))),
  );
  return {
    type: typeOf(name) as string,
    plain: plain as Uint8Array,
    gzip: gzip as Uint8Array,
    brotli: brotli as Uint8Array,
  };
}

function typeOf(name: string): string | undefined {
  return types[name.slice(name.lastIndexOf(".") + 1)];
}

function entryOf(manifest: Manifest, source: string): WebEntry {
  const entry = manifest[source];
  if (entry === undefined) return { script: undefined, styles: [], preloads: [] };
  const isStyle = entry.file.endsWith(".css");
  const imported = importsOf(manifest, entry);
  return {
    script: isStyle ? undefined : PREFIX + entry.file,
    styles: [
      ...(isStyle ? [entry.file] : []),
      ...[entry, ...imported].flatMap(({ css }) => css ?? []),
    ].map((name) => PREFIX + name),
    preloads: imported.map(({ file }) => PREFIX + file),
  };
}

/** What `entry` imports, at once or through others, each once. */
function importsOf(manifest: Manifest, entry: ManifestEntry): readonly ManifestEntry[] {
  const found = new Set<ManifestEntry>();
  const visit = ({ imports = [] }: ManifestEntry): void => {
    for (const name of imports) {
      const imported = manifest[name];
      if (imported === undefined || found.has(imported)) continue;
      found.add(imported);
      visit(imported);
    }
  };
  visit(entry);
  return [...found];
}
