/** Every threat that docs/threats.md names has tests that name it, where it says so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readText } from "../../tools/repository.ts";

/** Ids of a row that has tests, with the files that it names. */
interface Row {
  readonly ids: readonly string[];
  readonly paths: readonly string[];
}

const rows = readText("docs/threats.md")
  .split("\n")
  .filter((line) => /^\| [TSA]\d/.test(line))
  .map((line): Row => {
    const cells = line.split("|").map((cell) => cell.trim());
    return {
      ids: (cells[1] ?? "").split(", "),
      paths: [...(cells[4] ?? "").matchAll(/`([^`]+)`/g)].map(([, path]) => path as string),
    };
  });

test("the tables have all threats, each once", () => {
  const ids = rows.flatMap((row) => row.ids);
  const numbered = (letter: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
  assert.deepEqual(ids, [...numbered("T", 21), ...numbered("S", 11), ...numbered("A", 18)]);
});

test("each file that is said to show an id names it in a test", () => {
  const wrong = rows.flatMap(({ ids, paths }) =>
    paths.flatMap((path) => {
      const text = readText(path);
      return ids.some((id) => new RegExp(`["\`]([A-Z]+-?\\d+ )*${id} `).test(text))
        ? []
        : [`${path} names none of ${ids.join(", ")}`];
    }),
  );
  assert.deepEqual(wrong, []);
});

test("only T20 has no test: there is nothing to try", () => {
  const untested = rows.filter(({ paths }) => paths.length === 0);
  assert.deepEqual(
    untested.flatMap(({ ids }) => ids),
    ["T20"],
  );
});
