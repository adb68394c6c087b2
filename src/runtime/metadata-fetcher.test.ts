import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { parseInfoHash } from "../base/bytes.ts";
import type { InfoHash } from "../base/units.ts";
import { addressKey, type PeerTransport } from "../ports/peer-transport.ts";
import { MetadataFetcher, type MetadataProgress } from "./metadata-fetcher.ts";

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
  let progress: MetadataProgress | undefined;
  const fetcher = new MetadataFetcher(ports, torrent, {
    onFound: () => assert.fail("nobody has it"),
    onProgress: (said) => {
      progress = said;
    },
  });
  const address = { host: "10.0.0.1", port: 6881 };
  for (let i = 0; i < 3; i++) fetcher.addAddresses([address]);
  assert.deepEqual(dialled, [addressKey(address)]);
  assert.deepEqual(progress, { named: 1, asked: 0, bytes: 0 });
  fetcher.stop();
});
