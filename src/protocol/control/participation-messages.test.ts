import assert from "node:assert/strict";
import { test } from "node:test";
import { evidenceFor, idleParticipation, infoHash } from "../../../test/support/participation.ts";
import {
  type ClientMessage,
  encodeControlMessage,
  parseClientMessage,
  parseServerMessage,
} from "./messages.ts";
import type { HeldState, ParticipationOrder, ParticipationReason } from "./participation.ts";
import { isDecision, isHeldState, isSwarmParticipation } from "./participation-messages.ts";

const reasons: readonly ParticipationReason[] = [
  { code: "no-peer" },
  { code: "nothing-forwarded" },
  { code: "piece-below-floor", piece: 118, copies: 1, floor: 2 },
  { code: "downloader-owed", bytes: 1.5 },
  { code: "source-sending" },
  { code: "peers-suffice", copies: 3, floor: 2 },
];

test("orders come back as they went", () => {
  const states: readonly ParticipationOrder[] = reasons.map((reason) => ({
    type: "state",
    infoHash,
    decision: { state: "S1", reason },
  }));
  const peers = [
    { host: "192.0.2.1", port: 1 },
    { host: "2001:db8::1", port: 65535 },
  ];
  const watch: ParticipationOrder = { type: "watch", infoHash, peers };
  for (const order of [...states, watch]) {
    assert.deepEqual(parseServerMessage(encodeControlMessage(order)), { ok: true, value: order });
  }
});

test("what is seen of a swarm comes back as it went; what was not seen stays unknown", () => {
  const swarm = { infoHash, connections: 2, sentBytes: 5, copies: 3 };
  const message: ClientMessage = {
    type: "swarm",
    swarm: { ...swarm, participation: { ...idleParticipation, evidence: evidenceFor("S2") } },
  };
  const parsed = parseClientMessage(encodeControlMessage(message));
  assert.ok(parsed.ok && parsed.value.type === "swarm");
  const { evidence, figures } = parsed.value.swarm.participation;
  assert.deepEqual(
    { ...evidence, pieceBelowFloor: undefined, sentAgoMs: undefined },
    evidenceFor("S2"),
  );
  assert.deepEqual([evidence.pieceBelowFloor, evidence.sentAgoMs], [undefined, undefined]);
  assert.deepEqual(figures, idleParticipation.figures);
});

test("a held state is one with its reason and since when", () => {
  for (const reason of reasons) {
    const held: HeldState = { state: "S0", reason, since: 5 };
    assert.equal(isHeldState(held), true, reason.code);
    assert.equal(isDecision(held), true, reason.code);
    assert.equal(isHeldState({ ...held, since: -1 }), false);
    assert.equal(isHeldState({ ...held, since: undefined }), false);
  }
});

test("malformed orders are refused", () => {
  const state = (decision: unknown) => ({ type: "state", infoHash, decision });
  const watch = (peers: unknown) => ({ type: "watch", infoHash, peers });
  const peer = { host: "192.0.2.1", port: 6881 };
  const orders: readonly unknown[] = [
    state(undefined),
    state({ state: "S3", reason: { code: "no-peer" } }),
    state({ state: "S0", reason: {} }),
    state({ state: "S0", reason: { code: "toString" } }),
    state({ state: "S0", reason: { code: "__proto__" } }),
    state({ state: "S0", reason: null }),
    state({ state: "S1", reason: { code: "piece-below-floor", piece: 1, copies: 1 } }),
    state({ state: "S1", reason: { code: "piece-below-floor", piece: -1, copies: 1, floor: 2 } }),
    state({ state: "S1", reason: { code: "downloader-owed", bytes: -1 } }),
    { ...state({ state: "S0", reason: { code: "no-peer" } }), infoHash: "ab" },
    watch(undefined),
    watch({ length: 1, 0: peer }),
    watch([{ ...peer, port: 0 }]),
    watch([{ ...peer, port: 65536 }]),
    watch([{ ...peer, host: "peer.example" }]),
    watch([{ ...peer, host: `192.0.2.1${" ".repeat(100)}` }]),
    watch(Array.from({ length: 1001 }, () => peer)),
  ];
  for (const order of orders) {
    const text = JSON.stringify(order);
    assert.equal(parseServerMessage(text).ok, false, text.slice(0, 100));
  }
});

test("malformed evidence is refused", () => {
  const { evidence, figures } = idleParticipation;
  const table: readonly object[] = [
    { peers: -1 },
    { peers: 1.5 },
    { downloaders: null },
    { copies: "1" },
    { floor: undefined },
    { pieceBelowFloor: 3 },
    { pieceBelowFloor: { piece: 1 } },
    { hasForwarded: 1 },
    { owedBytes: -1 },
    { sentAgoMs: -1 },
  ];
  assert.equal(isSwarmParticipation(idleParticipation), true);
  for (const changes of table) {
    const changed = { figures, evidence: { ...evidence, ...changes } };
    assert.equal(isSwarmParticipation(changed), false, JSON.stringify(changes));
  }
  for (const changes of [{ spentBytes: -1 }, { uplink: "1" }, { crowd: { elapsedMs: 1 } }]) {
    const changed = { evidence, figures: { ...figures, ...changes } };
    assert.equal(isSwarmParticipation(changed), false, JSON.stringify(changes));
  }
});
