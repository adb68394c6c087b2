import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { parseInfoHash } from "../base/bytes.ts";
import type { InfoHash } from "../base/units.ts";
import { addressKey, type PeerTransport } from "../ports/peer-transport.ts";
import { MetadataFetcher } from "./metadata-fetcher.ts";

test("a peer that a tracker names again and again is dialled once at a time", () => {
  const dialled: string[] = [];
  const transport: PeerTransport = {
    listen: () => assert.fail("it only dials"),
    connect: (address) => {
      dialled.push(addressKey(address));
      return { cancel: () => {} };
    },
  };
  const ports = { clock: new VirtualClock(), transport, sha1: () => new Uint8Array(20) };
  const infoHash = parseInfoHash("0".repeat(40)) as InfoHash;
  const torrent = { infoHash, peerId: new Uint8Array(20), clientName: "test" };
  const fetcher = new MetadataFetcher(ports, torrent, () => assert.fail("nobody has it"));
  const address = { host: "10.0.0.1", port: 6881 };
  for (let i = 0; i < 3; i++) fetcher.addAddresses([address]);
  assert.deepEqual(dialled, [addressKey(address)]);
  fetcher.stop();
});
