/** Decisions follow from evidence alone: a log of it, played again, gives the same ones. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decideState } from "../../src/participation/state.ts";
import { encodeRecord, parseEvidenceLog, recordEvidence } from "../support/evidence-log.ts";

test("a recorded log gives the decisions that were recorded with it", () => {
  const path = new URL("../fixtures/evidence.jsonl", import.meta.url);
  const records = parseEvidenceLog(readFileSync(path, "utf8"));
  for (const { at, evidence, decision } of records) {
    assert.deepEqual(decideState(evidence), decision, `at ${at} ms`);
  }

  const states = records.map(({ decision }) => decision.state);
  const turns = states.filter((state, i) => state !== states[i - 1]);
  assert.deepEqual(turns, ["S0", "S1", "S2", "S1", "S2", "S0"]);
  const codes = new Set(records.map(({ decision }) => decision.reason.code));
  assert.deepEqual([...codes].toSorted(), [
    "downloader-owed",
    "no-peer",
    "nothing-forwarded",
    "peers-suffice",
    "piece-below-floor",
    "source-sending",
  ]);
});

test("the same swarm gives the same log, and its log the same decisions", async () => {
  const records = await recordEvidence();
  const log = records.map(encodeRecord).join("");
  assert.equal((await recordEvidence()).map(encodeRecord).join(""), log);
  assert.deepEqual(
    parseEvidenceLog(log).map(({ evidence }) => decideState(evidence)),
    records.map(({ decision }) => decision),
  );
});
