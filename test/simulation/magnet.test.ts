import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryHttp } from "../../src/adapters/memory/memory-http.ts";
import { MemoryPieceStore } from "../../src/adapters/memory/memory-piece-store.ts";
import { Bitfield } from "../../src/base/bitfield.ts";
import { infoHashOf } from "../../src/base/bytes.ts";
import { BtPublisherError, unwrap } from "../../src/base/errors.ts";
import { createRandom } from "../../src/base/random.ts";
import { Peer } from "../../src/peer/peer.ts";
import { encodeBencode } from "../../src/protocol/bencode/encode.ts";
import { encodeInfo } from "../../src/protocol/metainfo/create.ts";
import { parseMagnet } from "../../src/protocol/metainfo/magnet.ts";
import type { Info } from "../../src/protocol/metainfo/metainfo.ts";
import { parseInfo } from "../../src/protocol/metainfo/parse.ts";
import { MemorySwarm } from "../support/memory-swarm.ts";
import { anInfo, sha1, someContent } from "../support/torrents.ts";

const content = someContent(300_000, 6);
const PIECE_LENGTH = 32 * 1024;

/** The torrent of `content`, whose info dictionary is `raw`. */
function infoWith(raw: Uint8Array): Info {
  return { ...anInfo(content, PIECE_LENGTH, "magnet.bin"), raw, infoHash: infoHashOf(sha1(raw)) };
}

function goodInfo(): Info {
  const { pieceHashes } = anInfo(content, PIECE_LENGTH);
  const raw = encodeInfo({
    name: "magnet.bin",
    isDirectory: false,
    files: [{ path: ["magnet.bin"], length: content.length }],
    pieceLength: PIECE_LENGTH,
    pieceHashes,
    isPrivate: false,
  });
  return unwrap(parseInfo(raw, { sha1 }));
}

/** A Peer in a swarm of one seed of `info`, and the link that names only its hash and that seed. */
async function aWorld(info: Info) {
  const swarm = new MemorySwarm(info, 3);
  await swarm.add("10.0.0.1", { content });
  const transport = swarm.network.addHost("10.0.0.2");
  const store = new MemoryPieceStore(info, { sha1 });
  const have = new Bitfield(info.geometry.pieceCount);
  const downloads = {
    open: () => Promise.resolve({ store, have, path: "memory", close: () => Promise.resolve() }),
    findMetainfo: () => Promise.resolve(undefined),
  };
  const http = new MemoryHttp(swarm.clock, () => undefined);
  const random = createRandom(4);
  const peer = new Peer(
    { clock: swarm.clock, transport, http, random, downloads, sha1, verifyTicket: () => false },
    { clientName: "test" },
  );
  await peer.listen();
  const magnet = unwrap(parseMagnet(`magnet:?xt=urn:btih:${info.infoHash}&x.pe=10.0.0.1:6881`));
  const started = peer.download({ type: "magnet", magnet }, { directory: "memory" });
  return { swarm, store, have, peer, started };
}

describe("a magnet link in virtual time", () => {
  test("leads to the info dictionary, and that to the content", async () => {
    const { swarm, store, have, peer, started } = await aWorld(goodInfo());
    await swarm.clock.run({ isDone: () => have.isFull, until: 600_000 });
    const download = await started;
    await download.completed;
    assert.deepEqual(store.content, content);
    assert.equal(download.info.name, "magnet.bin");

    await download.stop();
    download.stop = () => assert.fail("a process that downloads for years keeps none of them");
    await peer.close();
  });

  test("EXT-16 a dictionary that is right by its hash and cannot be used ends the download", async () => {
    const raw = encodeBencode({
      name: "x",
      "piece length": 0,
      pieces: new Uint8Array(20),
      length: 1,
    });
    const { swarm, started } = await aWorld(infoWith(raw));
    const refused = assert.rejects(
      started,
      (error) => error instanceof BtPublisherError && error.code === "META_PIECE_LENGTH",
    );
    await swarm.clock.run({ until: 60_000 });
    await refused;
  });
});
