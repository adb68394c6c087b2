/** House rules of the sources that no compiler or linter checks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readText, repositoryFiles } from "../../tools/repository.ts";

const scripts = repositoryFiles().filter((path) => /\.(tsx?|mjs)$/.test(path));
const sources = scripts.filter((path) => path.startsWith("src/"));

/** `path:line` of every line that `pattern` finds in `paths`. */
function findLines(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    readText(path)
      .split("\n")
      .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  );
}

test("every file says at its head what it is", () => {
  const hasHead = (text: string) =>
    /^(#!.*\n)?\/\*\*[\s\S]*?\*\/\n(?!export |function |class |const )/.test(text);
  const ours = scripts.filter((path) => !/\.test\.ts$|^bench\/lab\//.test(path));
  assert.deepEqual(
    ours.filter((path) => !hasHead(readText(path))),
    [],
  );
});

test("every export is documented, at the head of its file when it is what the file is for", () => {
  const declaration =
    /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type) (\w+)/;
  const wrong = sources
    .filter((path) => !path.endsWith(".test.ts"))
    .flatMap((path) => {
      const lines = readText(path).split("\n");
      return lines.flatMap((line, i) => {
        const name = declaration.exec(line)?.[1];
        if (name === undefined || isNamesake(name, path)) return [];
        const isDocumented = lines[i - 1]?.trimEnd().endsWith("*/") === true;
        return isDocumented ? [] : [`${path}:${i + 1}: ${name}`];
      });
    });
  assert.deepEqual(wrong, []);
});

/** Whether `name` is what the file at `path` is called after: PieceStore in piece-store.ts. */
function isNamesake(name: string, path: string): boolean {
  return path
    .replace(/x$/, "")
    .endsWith(`/${name.replaceAll(/(?<=[a-z0-9])[A-Z]/g, "-$&").toLowerCase()}.ts`);
}

test("no test is left out, nothing is left for later", () => {
  const leftOut = /\b(?:test|it|describe|suite)\.(?:skip|only|todo)\b|\b(?:only|todo): true\b/;
  // With brackets, so that this file does not find itself.
  const later = /\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/;
  const others = scripts.filter((path) => path !== "test/tidy/sources.test.ts");
  assert.deepEqual([...findLines(others, leftOut), ...findLines(others, later)], []);
});

test("a test is skipped only for want of root, and only where it needs namespaces", () => {
  const skips = findLines(
    scripts.filter((path) => path.endsWith(".test.ts") && path !== "test/tidy/sources.test.ts"),
    /\bskip\b\s*[:(]|\bskip\b\s*[,}]/,
  );
  assert.deepEqual(
    skips.filter((line) => !/^test\/interop\/.*skip: whyNoNamespaces\(\)/.test(line)),
    [],
  );
});

test("the words are those of the glossary", () => {
  const everywhere =
    /infohash|[Ss]eeders?\b|[Ll]eechers?\b|torrentId|[Ss]ub-?piece|[Hh]ttpSeed|\buninterested\b/;
  // HTTP bodies do come in chunks; the content of a torrent comes in pieces and blocks.
  const inTorrents = /\b[Cc]hunk(?:s|ed)?\b/;
  const torrentSources = sources.filter((path) =>
    /^src\/(?:engine|participation|protocol\/(?:wire|metainfo)|runtime|peer)\//.test(path),
  );
  assert.deepEqual(
    [...findLines(sources, everywhere), ...findLines(torrentSources, inTorrents)],
    [],
  );
});
