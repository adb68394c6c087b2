import assert from "node:assert/strict";
import { test } from "node:test";
import type { InfoHash } from "../../base/units.ts";
import { isAccessUpdate } from "./access-messages.ts";
import type { AccessUpdate, SourceOrder } from "./access-values.ts";
import { encodeControlMessage, parseServerMessage } from "./messages.ts";

const infoHash = "ab".repeat(20) as InfoHash;
const digest = "01".repeat(32);
const update: AccessUpdate = {
  feed: "0a",
  number: 3,
  isWhole: true,
  isLast: false,
  digestKey: digest,
  torrents: [{ infoHash, level: "ticketed" }],
  keys: [{ digest, infoHash, principal: "u1", expiresAt: 5 }],
  revoked: [digest],
  guests: [{ infoHash, host: "2001:db8::1", principal: "server" }],
};

test("orders come back as they went", () => {
  const orders: readonly SourceOrder[] = [
    { type: "guard", torrents: update.torrents, ticketKey: digest },
    { type: "admit", admissions: [{ infoHash, host: "192.0.2.1", principal: "u1", forMs: 9 }] },
    { type: "revoke", revocations: [{ infoHash, principal: "u1" }] },
  ];
  for (const order of orders) {
    assert.deepEqual(parseServerMessage(encodeControlMessage(order)), { ok: true, value: order });
  }
});

test("malformed orders and updates are refused", () => {
  const admission = { infoHash, host: "192.0.2.1", principal: "u1", forMs: 9 };
  const admit = (changes: object) =>
    JSON.stringify({ type: "admit", admissions: [{ ...admission, ...changes }] });
  const texts = [
    "",
    "null",
    "[]",
    "{}",
    '{"type":"__proto__"}',
    '{"type":"guard"}',
    admit({ host: "tracker.example" }),
    admit({ host: "" }),
    admit({ principal: "../x" }),
    admit({ forMs: -1 }),
    admit({ infoHash: infoHash.toUpperCase() }),
  ];
  for (const text of texts) assert.ok(!parseServerMessage(text).ok, text);
  assert.ok(isAccessUpdate(update));
  const wrongs = [
    { digestKey: "x" },
    { number: -1 },
    { isLast: undefined },
    { torrents: [{ infoHash, level: "everything" }] },
    { keys: [{ ...update.keys[0], expiresAt: "soon" }] },
    { revoked: [infoHash] },
    { guests: [{ infoHash, host: "x", principal: "u1" }] },
  ];
  for (const wrong of wrongs) {
    assert.ok(!isAccessUpdate({ ...update, ...wrong }), JSON.stringify(wrong));
  }
});
