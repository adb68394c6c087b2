/** What a torrent tells SourceNodes of our kind, and what it makes of what they say. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { anInfo, someContent } from "../../../test/support/torrents.ts";
import { requestedFrom, sentTo, TorrentWorld } from "../../../test/support/torrent-world.ts";
import { Bitfield } from "../../base/bitfield.ts";
import { TokenBucket } from "../../base/token-bucket.ts";
import { BLOCK_LENGTH } from "../../base/units.ts";
import { encodeExtensionHandshake } from "../../protocol/wire/extension.ts";
import type { PeerMessage } from "../../protocol/wire/message.ts";
import { PeerSession } from "../peer-session/peer-session.ts";
import {
  encodeFloorChange,
  PARTICIPATION_EXTENSION,
  parseParticipationMessage,
  type PeerReport,
} from "../../protocol/wire/participation.ts";
import type { TorrentOutput } from "./torrent-state.ts";

const PIECES = 8;
const info = anInfo(someContent(PIECES * BLOCK_LENGTH), BLOCK_LENGTH);
/** Under which id the other side wants the extension, and under which one we do. */
const THEIR_ID = 7;
const OUR_ID = 2;

const handshake: PeerMessage = {
  type: "extended",
  id: 0,
  payload: encodeExtensionHandshake({
    extensions: new Map([[PARTICIPATION_EXTENSION, THEIR_ID]]),
    clientName: undefined,
    listenPort: undefined,
    maxRequests: undefined,
    metadataSize: undefined,
  }),
};

function floor(pieces: readonly number[], isFresh = true): PeerMessage {
  const below = pieces.map((first) => ({ first, count: 1 }));
  const payload = encodeFloorChange({ isFresh, below, enough: [] });
  return { type: "extended", id: OUR_ID, payload };
}

function reportsTo(peer: number, outputs: readonly TorrentOutput[]): readonly PeerReport[] {
  return sentTo(peer, outputs).flatMap((message) => {
    if (message.type !== "extended" || message.id !== THEIR_ID) return [];
    const parsed = parseParticipationMessage(message.payload, PIECES);
    return parsed?.type === "report" ? [parsed.report] : [];
  });
}

function aSource(world: TorrentWorld, id?: number): number {
  const source = world.connect({ isSourceNode: true, ...(id !== undefined && { id }) });
  world.say(source, handshake);
  return source;
}

test("of a peer's extensions those that we speak are kept, however many it names", () => {
  const session = new PeerSession(
    {
      key: 1,
      peerId: new Uint8Array(20),
      host: "10.0.0.1",
      addressKey: "10.0.0.1:1",
      direction: "incoming",
      supportsFast: true,
      supportsExtended: true,
      isSourceNode: true,
    },
    info.geometry,
    0,
  );
  for (let i = 1; i < 200; i++) session.learnExtensions(new Map([[`x${i}`, i]]));
  session.learnExtensions(new Map([[PARTICIPATION_EXTENSION, THEIR_ID]]));
  assert.deepEqual([...session.extensionIds], [[PARTICIPATION_EXTENSION, THEIR_ID]]);
});

describe("reports", () => {
  test("go to a SourceNode that speaks the extension, every two seconds while they differ", () => {
    const limits = { downloadLimit: new TokenBucket(500_000), leavesWhenDone: true };
    const world = new TorrentWorld(info, limits);
    const source = aSource(world);
    const first = reportsTo(source, world.wait(1000));
    assert.equal(first.length, 1);
    assert.equal(first[0]?.downLimit, 500_000);
    assert.equal(first[0]?.leavesWhenDone, true);
    assert.equal(first[0]?.neighbours, 1);
    assert.deepEqual(reportsTo(source, world.wait(10_000)), []);
    world.connect();
    const next = reportsTo(source, world.wait(2000));
    assert.deepEqual(
      next.map(({ neighbours }) => neighbours),
      [2],
    );
  });

  test("tell what came from whom, those who left included", () => {
    const world = new TorrentWorld(info);
    const source = aSource(world);
    const own = world.connect();
    world.say(own, handshake, { type: "have", pieceIndex: 0 }, { type: "unchoke" });
    world.give(own, { pieceIndex: 0, begin: 0, length: BLOCK_LENGTH });
    const other = world.connect();
    world.say(other, { type: "have", pieceIndex: 1 }, { type: "unchoke" });
    world.give(other, { pieceIndex: 1, begin: 0, length: BLOCK_LENGTH });
    world.torrent.handleLinkClosed(world.now, own);
    world.torrent.handleLinkClosed(world.now, other);
    const report = reportsTo(source, world.wait(1000)).at(-1);
    const expected = { sources: 0, ownPeers: BLOCK_LENGTH, otherPeers: BLOCK_LENGTH };
    assert.deepEqual(report?.downloaded, expected);
    assert.ok((report?.downRate ?? 0) > 0);
  });

  test("do not go to anybody else", () => {
    const world = new TorrentWorld(info);
    const own = world.connect();
    const stock = world.connect({ isSourceNode: true });
    world.say(own, handshake);
    const outputs = world.wait(5000);
    assert.deepEqual(reportsTo(own, outputs), []);
    assert.deepEqual(sentTo(stock, outputs), []);
  });
});

describe("the floor that a SourceNode tells", () => {
  const interested: PeerMessage = { type: "interested" };

  test("makes us prefer its pieces among equally rare ones", () => {
    const world = new TorrentWorld(info);
    const source = aSource(world);
    world.say(source, floor([5]));
    const peer = world.connect();
    world.say(peer, { type: "bitfield", bytes: Uint8Array.of(255) });
    const [first] = requestedFrom(peer, world.say(peer, { type: "unchoke" }));
    assert.equal(first?.pieceIndex, 5);
  });

  test("is what we serve first, and what we would be missed for, while somebody waits", () => {
    const world = new TorrentWorld(info, { have: Bitfield.full(PIECES) });
    const source = aSource(world);
    const holder = world.connect();
    const pieces = Uint8Array.of(0b1111_1110);
    world.say(holder, { type: "bitfield", bytes: pieces });
    assert.equal(world.torrent.figures(world.now).solePieces, 0);
    world.say(holder, interested);
    assert.equal(world.torrent.figures(world.now).solePieces, 1);
    world.say(source, floor([1, 7]));
    assert.equal(world.torrent.figures(world.now).solePieces, 2);

    const waiting = world.connect();
    world.say(waiting, interested);
    const block = (pieceIndex: number) => ({ pieceIndex, begin: 0, length: BLOCK_LENGTH });
    const [batch] = world.request(waiting, block(0), block(1), block(7), block(2));
    assert.ok(batch?.type === "send-blocks");
    assert.deepEqual(
      batch.blocks.map(({ pieceIndex }) => pieceIndex),
      [1, 7, 0, 2],
    );
    world.torrent.handleLinkClosed(world.now, source);
    assert.equal(world.torrent.figures(world.now).solePieces, 1);
  });

  test("counts from the first SourceNode only, and from no ordinary peer", () => {
    const world = new TorrentWorld(info, { have: Bitfield.full(PIECES) });
    const peer = world.connect();
    world.say(peer, handshake, floor([0, 1, 2]), interested);
    const soleNow = () => world.torrent.figures(world.now).solePieces - PIECES;
    assert.equal(soleNow(), 0);
    const seed = world.connect({ id: 9 });
    world.say(seed, { type: "bitfield", bytes: Uint8Array.of(0b0111_1111) });
    const before = world.torrent.figures(world.now).solePieces;
    const first = aSource(world, 20);
    const second = aSource(world, 21);
    world.say(first, floor([3]));
    world.say(second, floor([4, 5]));
    assert.equal(world.torrent.figures(world.now).solePieces, before + 1);
  });

  test("keeps us connected to a SourceNode that shows everything, when we are complete", () => {
    const world = new TorrentWorld(info, { have: Bitfield.full(PIECES) });
    const source = aSource(world);
    const stock = world.connect({ isSourceNode: true, id: 30 });
    world.say(source, { type: "have-all" });
    world.say(stock, { type: "have-all" });
    assert.equal(world.whyClosed(source), undefined);
    assert.equal(world.whyClosed(stock), "both-seeds");
  });

  test("is nothing that a flood of messages could be made of", () => {
    const world = new TorrentWorld(info);
    const source = aSource(world);
    for (let i = 0; i < 3000; i++) world.say(source, floor([1], false));
    assert.equal(world.whyClosed(source), "flood");
  });
});
