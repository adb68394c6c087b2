/** A short run of the tracker's fuzzing; `npm run fuzz` is the long one. */
import { test } from "node:test";
import { fuzzTracker } from "./tracker.ts";

test("mutated inputs of every door are read or refused, and nothing else", async (t) => {
  await fuzzTracker(10_000, 20_261_122, (line) => t.diagnostic(line));
});
