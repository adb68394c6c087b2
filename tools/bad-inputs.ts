/**
 * Keeps test/bad-inputs.json true: which bad inputs are tested, and where.
 *
 * The file lists every input that the system promises to survive, by id. A test claims one by
 * naming its id (`test("BEN-03 1024 nested lists", ...)`); this finds the claims. Run it after
 * writing such a test: `node tools/bad-inputs.ts`. Reasons for what has no test yet are kept.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readText, repositoryFiles } from "./repository.ts";

/** One bad input: what it is, what must come of it, and the test that shows it or why there is none. */
export interface BadInput {
  readonly input: string;
  readonly expected: string;
  /** Path of a test file with a test that names the id. */
  readonly tested?: string;
  /** Why no test names it. */
  readonly notYet?: string;
}

/** The whole list. */
export interface BadInputs {
  /** How many ids each group has: `BEN: 24` means BEN-01 to BEN-24. */
  readonly groups: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, BadInput>>;
}

const listPath = fileURLToPath(new URL("../test/bad-inputs.json", import.meta.url));

/** The list as it is committed. */
export function readBadInputs(): BadInputs {
  return JSON.parse(readFileSync(listPath, "utf8")) as BadInputs;
}

/** All ids of the groups, in order. */
export function idsOf(groups: BadInputs["groups"]): string[] {
  return Object.entries(groups).flatMap(([group, count]) =>
    Array.from({ length: count }, (_, i) => `${group}-${String(i + 1).padStart(2, "0")}`),
  );
}

/** The test files that name each id outside comments, in order of their paths. */
export function findClaims(groups: BadInputs["groups"]): Map<string, string[]> {
  const pattern = new RegExp(`\\b(?:${Object.keys(groups).join("|")})-[0-9]{2}\\b`, "g");
  const claims = new Map<string, string[]>();
  // A contract's tests are run by the test of each adapter.
  for (const path of repositoryFiles().filter((file) => /(\.test|-contract)\.ts$/.test(file))) {
    const ids = new Set(withoutComments(readText(path)).match(pattern));
    for (const id of ids) claims.set(id, [...(claims.get(id) ?? []), path]);
  }
  return claims;
}

/** `text` without its comments; strings that look like comments go too, which does no harm here. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
}

function update(list: BadInputs): BadInputs {
  const claims = findClaims(list.groups);
  const inputs = idsOf(list.groups).map((id) => {
    const before = list.inputs[id] ?? { input: "", expected: "" };
    const { input, expected, notYet = "no test names it yet" } = before;
    const paths = claims.get(id) ?? [];
    const tested = paths.find((path) => path === before.tested) ?? paths[0];
    return [id, tested === undefined ? { input, expected, notYet } : { input, expected, tested }];
  });
  return { groups: list.groups, inputs: Object.fromEntries(inputs) as BadInputs["inputs"] };
}

if (import.meta.main) {
  const list = update(readBadInputs());
  writeFileSync(listPath, `${JSON.stringify(list, undefined, 2)}\n`);
  const all = Object.values(list.inputs);
  const tested = all.filter((input) => input.tested !== undefined);
  console.log(`${tested.length} of ${all.length} bad inputs are tested`);
}
