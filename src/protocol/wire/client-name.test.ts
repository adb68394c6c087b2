import assert from "node:assert/strict";
import { test } from "node:test";
import { latin1Bytes } from "../../base/bytes.ts";
import { clientNameOf } from "./client-name.ts";

test("a peer id tells the program and its version", () => {
  const table = {
    "-qB4620-abcdefghijkl": "qBittorrent 4.6.2",
    "-TR4050-abcdefghijkl": "Transmission 4.0.5",
    "-LT20B0-abcdefghijkl": "libtorrent 2.0.11",
    "-BP0100-abcdefghijkl": "BTPublisher 0.1.0",
    "A2-1-37-0-abcdefghij": "aria2 1.37.0",
    "M7-11-0--abcdefghijk": "BitTorrent 7.11.0",
  };
  for (const [peerId, name] of Object.entries(table)) {
    assert.equal(clientNameOf(latin1Bytes(peerId)), name);
  }
});

test("A2 whatever else a stranger writes there is unknown", () => {
  for (const peerId of [
    "-<b>XX0-<script>aler",
    "\0".repeat(20),
    "-ZZ0000-abcdefghijkl",
    "-TR40<0-abcdefghijkl",
    "-to0000-abcdefghijkl",
    "\u00e9".repeat(20),
  ]) {
    assert.equal(clientNameOf(latin1Bytes(peerId)), "unknown");
  }
});
