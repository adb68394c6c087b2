import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDistinct, distinctPaths } from "./path-collisions.ts";

/** Paths with slashes, made distinct; or the code of the failure. */
function distinct(...paths: string[]): string | string[] {
  const result = distinctPaths(paths.map((path) => path.split("/")));
  return result.ok ? result.value.map((path) => path.join("/")) : result.code;
}

const rows: readonly (readonly [
  id: string,
  paths: readonly string[],
  expected: readonly string[],
])[] = [
  ["TOR-25", ["bar.txt", "BAR.txt"], ["bar.txt", "BAR.1.txt"]],
  ["TOR-25", ["d/a", "D/A"], ["d/a", "D/A.1"]],
  ["TOR-25", ["caf\u00e9", "cafe\u0301"], ["caf\u00e9", "cafe\u0301.1"]],
  ["TOR-25", ["\u03c3", "\u03c2", "\u03a3"], ["\u03c3", "\u03c2.1", "\u03a3.2"]],
  ["TOR-25", ["a", "a.1", "a"], ["a", "a.1", "a.2"]],
  ["TOR-25", ["a", "a", "a.1"], ["a", "a.1", "a.1.1"]],
  ["TOR-25", [".x", ".X"], [".x", ".X.1"]],
  ["TOR-25", ["x.tar.gz", "x.tar.gz"], ["x.tar.gz", "x.tar.1.gz"]],
  ["TOR-26", ["a", "a/b"], ["a.1", "a/b"]],
  ["TOR-26", ["A/b/c", "a", "a/B"], ["A/b/c", "a.1", "a/B.1"]],
];

for (const [id, paths, expected] of rows) {
  test(`${id} ${paths.join(", ")}`, () => {
    assert.deepEqual(distinct(...paths), expected);
    assert.equal(checkDistinct(paths.map((path) => path.split("/"))).ok, false);
  });
}

test("leaves paths alone that every file system tells apart", () => {
  const paths = ["a", "b/a", "b/c/a", "B2", "a.1", "c a", "dir/x", "Dir/y"].map((path) =>
    path.split("/"),
  );
  const result = distinctPaths(paths);
  assert.ok(result.ok);
  for (const [i, path] of paths.entries()) assert.equal(result.value[i], path);
  assert.ok(checkDistinct(paths).ok);
});

test("TOR-27 118 files of one name", () => {
  assert.equal(distinct(...Array<string>(118).fill("a.txt")), "META_TOO_MANY_DUPLICATES");
  const hundred = distinct(...Array<string>(100).fill("a.txt"));
  assert.equal(new Set(hundred).size, 100);
  assert.equal((hundred as string[])[99], "a.99.txt");
});

test("TOR-27 names that were made to keep us counting", () => {
  const numbered = Array.from({ length: 50_000 }, (_, i) => `a.${i}`);
  assert.equal(distinct("a", ...numbered, "A", "A"), "META_TOO_MANY_DUPLICATES");
});
