/** Ends of connections in a log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerClosed } from "../runtime/torrent-setup.ts";
import { createOutput } from "./output.ts";
import { PeerLog } from "./peer-log.ts";

const closed: PeerClosed = {
  address: { host: "2001:db8::1", port: 6881 },
  direction: "incoming",
  reason: { code: "violation", violation: { code: "bad-protocol" } },
};

test("says who, and why in a code and in words; a flood is counted instead", () => {
  const lines: Record<string, unknown>[] = [];
  const stream = {
    write: (text: string) => {
      lines.push(JSON.parse(text) as Record<string, unknown>);
      return true;
    },
    on: () => undefined,
  };
  let now = 0;
  const output = createOutput({
    json: true,
    stdout: stream,
    stderr: stream,
    term: undefined,
    now: () => now,
    onBroken: () => undefined,
  });
  const log = new PeerLog(output, () => now);
  for (let i = 0; i < 25; i++) log.say(closed, { infoHash: "ab" });
  assert.equal(lines.length, 20);
  const { event, infoHash, address, reason, message } = lines[0] ?? {};
  assert.deepEqual([event, infoHash, address], ["peer-closed", "ab", "[2001:db8::1]:6881"]);
  assert.deepEqual(reason, closed.reason);
  assert.equal(message, "it broke the protocol: bad-protocol");

  now = 1000;
  log.say(closed, {});
  assert.equal(lines[20]?.["omitted"], 5);
});
