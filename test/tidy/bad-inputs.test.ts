/** Every bad input that the system promises to survive has a test that names it, or a reason why not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type BadInput, findClaims, idsOf, readBadInputs } from "../../tools/bad-inputs.ts";

const { groups, inputs } = readBadInputs();
const claims = findClaims(groups);
const entries = Object.entries(inputs);
const remedy = "run: node tools/bad-inputs.ts";

function idsWhere(isWrong: (id: string, entry: BadInput) => boolean): string[] {
  return entries.filter(([id, entry]) => isWrong(id, entry)).map(([id]) => id);
}

test("the list has exactly the ids of its groups", () => {
  assert.deepEqual(Object.keys(inputs), idsOf(groups));
});

test("each says what it is, what must come of it, and either its test or why there is none", () => {
  const isSaid = (text: string | undefined) => text !== undefined && text !== "";
  const wrong = idsWhere(
    (_, entry) =>
      !isSaid(entry.input) ||
      !isSaid(entry.expected) ||
      isSaid(entry.tested) === isSaid(entry.notYet),
  );
  assert.deepEqual(wrong, []);
});

test("each file that is said to test an id names it", () => {
  const wrong = idsWhere(
    (id, { tested }) => tested !== undefined && claims.get(id)?.includes(tested) !== true,
  );
  assert.deepEqual(wrong, [], remedy);
});

test("what a test names is not marked as not yet tested", () => {
  assert.deepEqual(
    idsWhere((id, { notYet }) => notYet !== undefined && claims.has(id)),
    [],
    remedy,
  );
});

test("tests name only ids of the list", () => {
  assert.deepEqual(
    [...claims.keys()].filter((id) => !(id in inputs)),
    [],
  );
});
