import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sha1, someContent } from "../../../test/support/torrents.ts";
import { encodeExtensionHandshake } from "../../protocol/wire/extension.ts";
import type { PeerMessage } from "../../protocol/wire/message.ts";
import {
  encodeMetadataMessage,
  METADATA_PIECE_LENGTH,
  type MetadataMessage,
  parseMetadataMessage,
} from "../../protocol/wire/ut-metadata.ts";
import { MetadataDownload, type MetadataOutput } from "./metadata-download.ts";

/** Three pieces, the last one short. */
const info = someContent(2 * METADATA_PIECE_LENGTH + 100, 1);
/** The id under which the peer wants ut_metadata. */
const THEIR_ID = 7;
const OUR_ID = 1;

class World {
  readonly download = new MetadataDownload(sha1(info), sha1, "test");
  readonly outputs: MetadataOutput[] = [];
  now = 0;

  /** A peer that says that its dictionary has `metadataSize` bytes. */
  connect(peer: number, metadataSize: number | undefined = info.length): void {
    this.download.handleLinkOpened(this.now, peer, true);
    const payload = encodeExtensionHandshake({
      extensions: new Map([["ut_metadata", THEIR_ID]]),
      clientName: undefined,
      listenPort: undefined,
      maxRequests: undefined,
      metadataSize,
    });
    this.say(peer, { type: "extended", id: 0, payload });
  }

  say(peer: number, message: PeerMessage): void {
    this.download.handleMessage(this.now, peer, message);
    this.outputs.push(...this.download.takeOutputs());
  }

  tell(peer: number, message: MetadataMessage): void {
    this.say(peer, { type: "extended", id: OUR_ID, payload: encodeMetadataMessage(message) });
  }

  /** The peer gives piece `piece` of `bytes`. */
  give(peer: number, piece: number, bytes: Uint8Array = info): void {
    const begin = piece * METADATA_PIECE_LENGTH;
    const data = bytes.subarray(begin, begin + METADATA_PIECE_LENGTH);
    this.tell(peer, { type: "data", piece, totalSize: bytes.length, data });
  }

  /** Pieces that `peer` was asked for. */
  asked(peer: number): number[] {
    return this.outputs.flatMap((output) => {
      if (output.type !== "send" || output.peer !== peer) return [];
      if (output.message.type !== "extended" || output.message.id !== THEIR_ID) return [];
      const message = parseMetadataMessage(output.message.payload);
      return message?.type === "request" ? [message.piece] : [];
    });
  }

  whyClosed(peer: number): string | undefined {
    const output = this.outputs.find((each) => each.type === "close" && each.peer === peer);
    return output?.type === "close" ? output.why : undefined;
  }

  get found(): Uint8Array | undefined {
    const output = this.outputs.find((each) => each.type === "found");
    return output?.type === "found" ? output.info : undefined;
  }
}

describe("MetadataDownload", () => {
  test("peers that trickle hold no place for ever: the slowest of a crowd makes room", () => {
    const world = new World();
    const bytes = new Uint8Array(100 * METADATA_PIECE_LENGTH);
    const peers = [1, 2, 3, 4, 5];
    for (const peer of peers) world.connect(peer, bytes.length);
    for (const round of [0, 1]) {
      world.now += 14_000;
      for (const peer of peers) {
        world.give(peer, 2 * round, bytes);
        if (peer !== 4) world.give(peer, 2 * round + 1, bytes);
      }
    }
    assert.equal(world.download.mostBytes, 4 * METADATA_PIECE_LENGTH);
    assert.ok(!world.download.hasRoom);
    assert.equal(world.download.nextTimeout(), 30_000);

    world.now = 30_000;
    world.download.handleTimeout(world.now);
    world.outputs.push(...world.download.takeOutputs());
    assert.equal(world.whyClosed(4), "others may be quicker");
    assert.ok(world.download.hasRoom);
    assert.equal(world.download.nextTimeout(), 28_000 + 15_000);
  });

  test("asks a peer for all pieces and finds the dictionary", () => {
    const world = new World();
    world.connect(1);
    assert.deepEqual(world.asked(1), [0, 1, 2]);
    for (const piece of [2, 0, 1]) world.give(1, piece);
    assert.deepEqual(world.found, info);
  });

  test("MAG-19 EXT-15 a dictionary that does not match is dropped with its peer; another gives it", () => {
    const world = new World();
    world.connect(1);
    world.connect(2);
    const wrong = info.map((byte) => byte ^ 1);
    for (const piece of [0, 1, 2]) world.give(1, piece, wrong);
    assert.equal(world.whyClosed(1), "wrong metadata");
    assert.equal(world.found, undefined);

    for (const piece of [0, 1, 2]) world.give(2, piece);
    assert.deepEqual(world.found, info);
  });

  test("EXT-08 a wrong size costs that peer, and nobody else", () => {
    const world = new World();
    world.connect(1, info.length - 1);
    const short = info.subarray(0, info.length - 1);
    for (const piece of [0, 1, 2]) world.give(1, piece, short);
    assert.equal(world.whyClosed(1), "wrong metadata");

    world.connect(2, info.length + 5);
    world.give(2, 0);
    assert.equal(world.whyClosed(2), "metadata of another size");
  });

  test("EXT-11 data that nobody asked for changes nothing", () => {
    const world = new World();
    world.connect(1);
    world.give(1, 0);
    world.give(
      1,
      0,
      info.map((byte) => byte ^ 1),
    );
    for (const piece of [1, 2]) world.give(1, piece);
    assert.deepEqual(world.found, info);
  });

  test("EXT-13 a peer that rejects is let go", () => {
    const world = new World();
    world.connect(1);
    world.tell(1, { type: "reject", piece: 0 });
    assert.equal(world.whyClosed(1), "metadata refused");
    assert.ok(world.download.hasRoom);
  });

  test("a peer that says nothing makes room after a while", () => {
    const world = new World();
    for (const peer of [1, 2, 3, 4, 5]) world.connect(peer);
    assert.ok(!world.download.hasRoom);
    const at = world.download.nextTimeout() as number;
    world.download.handleTimeout(at);
    assert.ok(world.download.hasRoom);
  });

  test("EXT-18 malformed messages end the connection", () => {
    const world = new World();
    world.connect(1);
    world.say(1, { type: "extended", id: OUR_ID, payload: Uint8Array.of(1, 2, 3) });
    assert.equal(world.whyClosed(1), "malformed metadata");
  });
});
