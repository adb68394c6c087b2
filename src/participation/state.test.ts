import assert from "node:assert/strict";
import { test } from "node:test";
import type { ParticipationReason, SwarmEvidence } from "../protocol/control/participation.ts";
import { reasonText } from "./reason-text.ts";
import { decideState, DWELL_MS } from "./state.ts";

/** A swarm that does without its source. */
const released: SwarmEvidence = {
  peers: 8,
  downloaders: 8,
  copies: 3,
  floor: 2,
  pieceBelowFloor: undefined,
  hasForwarded: true,
  owedBytes: 0,
  sentAgoMs: undefined,
};
const piece = { piece: 118, copies: 1 };

test("each state has its reason", () => {
  const table: readonly (readonly [Partial<SwarmEvidence>, string, ParticipationReason, RegExp])[] =
    [
      [{ peers: 0, copies: 0 }, "S0", { code: "no-peer" }, /nobody is downloading/],
      [
        { hasForwarded: false, copies: 0, pieceBelowFloor: { piece: 0, copies: 0 } },
        "S0",
        { code: "nothing-forwarded" },
        /no piece was seen at a second peer/,
      ],
      [
        { copies: 1, pieceBelowFloor: piece },
        "S1",
        { code: "piece-below-floor", ...piece, floor: 2 },
        /piece 118 has 1 of 2 copies/,
      ],
      [{ owedBytes: 7 }, "S1", { code: "downloader-owed", bytes: 7 }, /plain download/],
      [{ sentAgoMs: 0 }, "S1", { code: "source-sending" }, /last seconds/],
      [{}, "S2", { code: "peers-suffice", copies: 3, floor: 2 }, /every piece has 3 copies/],
    ];
  for (const [changes, state, reason, text] of table) {
    assert.deepEqual(decideState({ ...released, ...changes }), { state, reason });
    assert.match(reasonText(reason), text);
  }
});

test("of several reasons the one that says more about the swarm is given", () => {
  const changes: readonly Partial<SwarmEvidence>[] = [
    { sentAgoMs: 0 },
    { owedBytes: 7 },
    { copies: 1, pieceBelowFloor: piece },
    { hasForwarded: false },
    { peers: 0 },
  ];
  let evidence = released;
  const codes = changes.map((change) => {
    evidence = { ...evidence, ...change };
    return decideState(evidence).reason.code;
  });
  assert.deepEqual(codes, [
    "source-sending",
    "downloader-owed",
    "piece-below-floor",
    "nothing-forwarded",
    "no-peer",
  ]);
});

test("S2 begins 10 s after the source sent something, or at once when it never did", () => {
  const table = [
    [DWELL_MS - 1, "S1"],
    [DWELL_MS, "S2"],
    [undefined, "S2"],
  ] as const;
  for (const [sentAgoMs, state] of table) {
    assert.equal(decideState({ ...released, sentAgoMs }).state, state, `${sentAgoMs}`);
  }
});

test("peers that brought every piece with them need not have forwarded one", () => {
  assert.equal(decideState({ ...released, hasForwarded: false }).state, "S2");
});
