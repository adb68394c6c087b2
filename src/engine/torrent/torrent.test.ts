import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { anInfo, someContent } from "../../../test/support/torrents.ts";
import { requestedFrom, sentTo, TorrentWorld } from "../../../test/support/torrent-world.ts";
import { Bitfield } from "../../base/bitfield.ts";
import { BLOCK_LENGTH } from "../../base/units.ts";
import type { BlockRef } from "../../protocol/metainfo/piece-geometry.ts";
import { encodeExtensionHandshake } from "../../protocol/wire/extension.ts";
import type { PeerMessage } from "../../protocol/wire/message.ts";
import { encodeMetadataMessage, parseMetadataMessage } from "../../protocol/wire/ut-metadata.ts";

/** 4 pieces of 2 blocks; the last block has 100 bytes. */
const info = anInfo(someContent(7 * BLOCK_LENGTH + 100), 2 * BLOCK_LENGTH);
const block = (pieceIndex: number, begin = 0, length = BLOCK_LENGTH): BlockRef => ({
  pieceIndex,
  begin,
  length,
});
const aLeech = () => new TorrentWorld(info);
const aSeed = () => new TorrentWorld(info, { have: Bitfield.full(4) });
const bitfield = (byte: number): PeerMessage => ({ type: "bitfield", bytes: Uint8Array.of(byte) });
const have = (pieceIndex: number): PeerMessage => ({ type: "have", pieceIndex });

describe("a peer that breaks the rules is cut off", () => {
  const rows: [string, PeerMessage[], string][] = [
    ["WIR-12 bitfield too long", [{ type: "bitfield", bytes: new Uint8Array(2) }], "bad-bitfield"],
    ["WIR-12 bitfield too short", [{ type: "bitfield", bytes: new Uint8Array(0) }], "bad-bitfield"],
    ["WIR-13 bitfield with a spare bit", [bitfield(0b0000_1000)], "bad-bitfield"],
    ["WIR-15 have of a piece beyond the end", [have(4)], "bad-index"],
    ["WIR-15 have of piece 2^32 - 1", [have(2 ** 32 - 1)], "bad-index"],
    [
      "WIR-17 have-all and have-none",
      [{ type: "have-all" }, { type: "have-none" }],
      "unexpected-message",
    ],
    ["WIR-17 have-all, then bitfield", [{ type: "have-all" }, bitfield(0)], "unexpected-message"],
  ];
  for (const [name, messages, why] of rows) {
    test(name, () => {
      const world = aLeech();
      const peer = world.connect();
      world.say(peer, ...messages);
      assert.equal(world.whyClosed(peer), why);
    });
  }

  test("WIR-17 have-all without the fast extension", () => {
    const world = aLeech();
    const peer = world.connect({ fast: false });
    world.say(peer, { type: "have-all" });
    assert.equal(world.whyClosed(peer), "unexpected-message");
  });

  test("WIR-14 a late bitfield adds what is new (aria2 sends such), a flood of them is cut off", () => {
    const world = aLeech();
    const peer = world.connect();
    const outputs = world.say(peer, have(1), bitfield(0b0110_0000), bitfield(0b1000_0000));
    assert.deepEqual(sentTo(peer, outputs), [{ type: "interested" }]);
    assert.equal(requestedFrom(peer, world.say(peer, { type: "unchoke" })).length, 6);
    for (let i = 0; i < 200; i++) world.say(peer, bitfield(0b1000_0000));
    assert.equal(world.whyClosed(peer), "flood");
  });

  const floods: [string, () => PeerMessage[]][] = [
    ["WIR-09 keep-alives", () => [{ type: "keep-alive" }]],
    ["WIR-16 one have again and again", () => [have(0)]],
    ["WIR-29 interest that flips", () => [{ type: "interested" }, { type: "not-interested" }]],
    ["WIR-31 rejects of what was never asked", () => [{ type: "reject", block: block(0) }]],
    [
      "WIR-32 suggestions and allowed-fast",
      () => [
        { type: "suggest", pieceIndex: 9 },
        { type: "allowed-fast", pieceIndex: 9 },
      ],
    ],
    ["WIR-33 port messages", () => [{ type: "port", port: 1 }]],
    ["WIR-28 cancels of nothing", () => [{ type: "cancel", block: block(0) }]],
  ];
  for (const [name, messages] of floods) {
    test(`${name}: a few are ignored, a flood is not`, () => {
      const world = aLeech();
      const peer = world.connect();
      world.say(peer, ...messages());
      assert.equal(world.whyClosed(peer), undefined);
      for (let i = 0; i < 3000; i++) world.say(peer, ...messages());
      assert.equal(world.whyClosed(peer), "flood");
    });
  }

  test("WIR-04 ourselves, by our own peer id", () => {
    const world = aLeech();
    const peer = world.connect({ id: 1 });
    assert.equal(world.whyClosed(peer), "self");
  });

  test("WIR-06 the same peer id twice: the later connection goes", () => {
    const world = aLeech();
    const first = world.connect({ id: 7 });
    const second = world.connect({ id: 7 });
    assert.equal(world.whyClosed(first), undefined);
    assert.equal(world.whyClosed(second), "duplicate");
  });

  test("of two crossing connections both sides keep the one that the larger id dialled", () => {
    const world = aLeech();
    const dialled = world.connect({ id: 7, outgoing: true });
    const accepted = world.connect({ id: 7 });
    assert.equal(world.whyClosed(dialled), "duplicate");
    assert.equal(world.whyClosed(accepted), undefined);
  });
});

describe("the extension protocol", () => {
  const request = (piece: number): PeerMessage => ({
    type: "extended",
    id: 1,
    payload: encodeMetadataMessage({ type: "request", piece }),
  });
  const handshake = (): PeerMessage => ({
    type: "extended",
    id: 0,
    payload: encodeExtensionHandshake({
      extensions: new Map([["ut_metadata", 5]]),
      clientName: "somebody",
      listenPort: undefined,
      maxRequests: undefined,
      metadataSize: undefined,
    }),
  });

  test("the info dictionary is given to who asks, and refused beyond its end", () => {
    const world = aSeed();
    const peer = world.connect();
    const outputs = world.say(peer, handshake(), request(0), request(1));
    const answers = sentTo(peer, outputs).map(
      (message) => message.type === "extended" && parseMetadataMessage(message.payload),
    );
    assert.deepEqual(answers, [
      { type: "data", piece: 0, totalSize: info.raw.length, data: info.raw },
      { type: "reject", piece: 1 },
    ]);
  });

  test("EXT-04 a handshake again adds to the first; a flood of them is cut off", () => {
    const world = aSeed();
    const peer = world.connect();
    world.say(peer, handshake(), handshake());
    assert.equal(world.whyClosed(peer), undefined);
    for (let i = 0; i < 3000; i++) world.say(peer, handshake());
    assert.equal(world.whyClosed(peer), "flood");
  });

  test("EXT-05 a message under an id that we never gave is ignored", () => {
    const world = aSeed();
    const peer = world.connect();
    const unknown: PeerMessage = { type: "extended", id: 99, payload: new Uint8Array(5) };
    assert.deepEqual(world.say(peer, handshake(), unknown), []);
  });

  test("EXT-14 thousands of metadata requests are cut off", () => {
    const world = aSeed();
    const peer = world.connect();
    world.say(peer, handshake());
    let answers = 0;
    for (let i = 0; i < 10_000; i++) answers += sentTo(peer, world.say(peer, request(0))).length;
    assert.ok(answers <= 120, `${answers} were answered`);
    assert.equal(world.whyClosed(peer), "flood");
  });
});

describe("requests", () => {
  function anUnchoked(world: TorrentWorld, options: { fast?: boolean } = {}): number {
    const peer = world.connect(options);
    const outputs = world.say(peer, { type: "interested" });
    assert.deepEqual(sentTo(peer, outputs), [{ type: "unchoke" }]);
    return peer;
  }

  test("are answered in order, at once", () => {
    const world = aSeed();
    const peer = anUnchoked(world);
    const blocks = [block(1), block(0), block(3, BLOCK_LENGTH, 100)];
    assert.deepEqual(world.request(peer, ...blocks), [{ type: "send-blocks", peer, blocks }]);
  });

  const rows: [string, BlockRef][] = [
    ["WIR-18 a piece beyond the end", block(4)],
    ["WIR-19 a block beyond its piece", block(0, 2 * BLOCK_LENGTH)],
    ["WIR-19 a block beyond the last, short piece", block(3, BLOCK_LENGTH, 101)],
    ["WIR-20 a block longer than 16 KiB", block(0, 0, BLOCK_LENGTH + 1)],
  ];
  for (const [name, bad] of rows) {
    test(`${name} is rejected`, () => {
      const world = aSeed();
      const peer = anUnchoked(world);
      assert.deepEqual(sentTo(peer, world.request(peer, bad)), [{ type: "reject", block: bad }]);
      assert.equal(world.whyClosed(peer), undefined);
    });
  }

  test("S5 WIR-20 of length 0 and of more than 128 KiB end the connection, of 1 byte are served", () => {
    for (const length of [0, 131_073]) {
      const world = aSeed();
      const peer = anUnchoked(world);
      world.request(peer, block(0, 0, length));
      assert.equal(world.whyClosed(peer), "bad-request");
    }
    const world = aSeed();
    const peer = anUnchoked(world);
    assert.equal(world.request(peer, block(0, 5, 1))[0]?.type, "send-blocks");
  });

  test("S5 WIR-18 without the fast extension a request out of range ends the connection", () => {
    const world = aSeed();
    const peer = anUnchoked(world, { fast: false });
    world.request(peer, block(4));
    assert.equal(world.whyClosed(peer), "bad-request");
  });

  test("S2 WIR-21 while choked are rejected; many of them end the connection", () => {
    const world = aSeed();
    const peer = world.connect();
    const outputs = world.request(peer, block(0));
    assert.deepEqual(sentTo(peer, outputs), [{ type: "reject", block: block(0) }]);
    for (let i = 0; i < 3000; i++) world.request(peer, block(0));
    assert.equal(world.whyClosed(peer), "flood");
  });

  test("WIR-22 for a piece we lack are rejected", () => {
    const world = aLeech();
    const peer = anUnchoked(world);
    const outputs = world.request(peer, block(2));
    assert.deepEqual(sentTo(peer, outputs), [{ type: "reject", block: block(2) }]);
  });

  test("S2 WIR-23 beyond 512 waiting are rejected, and the same one twice counts once", () => {
    const large = anInfo(someContent(1024 * BLOCK_LENGTH), 1024 * BLOCK_LENGTH);
    const world = new TorrentWorld(large, { have: Bitfield.full(1) });
    const peer = anUnchoked(world);
    const many = Array.from({ length: 1000 }, (_, i) => block(0, i * BLOCK_LENGTH));
    const outputs = world.request(peer, ...many, ...many.slice(0, 100));
    const rejects = sentTo(peer, outputs).filter((message) => message.type === "reject");
    assert.ok(rejects.length >= 488, `only ${rejects.length} were rejected`);
    assert.equal(world.whyClosed(peer), undefined);
  });

  test("WIR-28 a cancelled request is not served, and that is said", () => {
    const world = new TorrentWorld(info, { have: Bitfield.full(4) });
    const peer = anUnchoked(world);
    const blocks = [0, 1, 2].flatMap((index) => [block(index), block(index, BLOCK_LENGTH)]);
    // Two batches are on their way at most; what waits behind them can be cancelled.
    for (const each of blocks.slice(0, 2)) world.request(peer, each);
    world.request(peer, ...blocks.slice(2));
    const outputs = world.say(peer, { type: "cancel", block: blocks[5] as BlockRef });
    assert.deepEqual(sentTo(peer, outputs), [{ type: "reject", block: blocks[5] }]);
    world.torrent.handleBlocksSent(world.now, peer, blocks.slice(0, 1));
    const [batch] = world.collect();
    assert.ok(batch?.type === "send-blocks" && !batch.blocks.includes(blocks[5] as BlockRef));
  });
});

describe("a download", () => {
  /** A peer that has everything and has unchoked us. */
  function aGiver(
    world: TorrentWorld,
    options: { fast?: boolean } = {},
  ): {
    peer: number;
    asked: BlockRef[];
  } {
    const peer = world.connect(options);
    world.say(peer, bitfield(0b1111_0000));
    return { peer, asked: requestedFrom(peer, world.say(peer, { type: "unchoke" })) };
  }

  test("asks in the first answer to an unchoke, and commits each complete piece", () => {
    const world = aLeech();
    const { peer, asked } = aGiver(world);
    assert.equal(asked.length, 8);

    const outputs = asked.flatMap((each) => [...world.give(peer, each)]);
    const commits = outputs.filter((output) => output.type === "commit");
    assert.equal(commits.length, 4);
    for (const { pieceIndex } of commits) world.torrent.handleCommitted(1, pieceIndex, "stored");
    assert.ok(world.collect().some((output) => output.type === "completed"));
    assert.equal(world.whyClosed(peer), "both-seeds");
  });

  test("WIR-24 blocks nobody asked for are dropped, and too many end the connection", () => {
    const world = aLeech();
    const { peer } = aGiver(world);
    world.say(peer, { type: "choke" });
    assert.ok(!world.torrent.wantsBlock(peer, block(0, 0, 5)));
    for (let i = 0; i < 1100; i++) world.give(peer, block(0, 5));
    assert.equal(world.whyClosed(peer), "unrequested-blocks");
  });

  test("WIR-25 a block of another begin or length than asked for is dropped", () => {
    const world = aLeech();
    const { peer } = aGiver(world);
    for (const wrong of [block(0, 1), block(0, 0, 5), block(9)]) {
      assert.ok(!world.torrent.wantsBlock(peer, wrong));
    }
  });

  test("WIR-30 choke and unchoke: requests are made again once, not in a storm", () => {
    const world = aLeech();
    const { peer } = aGiver(world, { fast: false });
    let asked = 0;
    for (let i = 0; i < 500; i++) {
      const outputs = world.say(peer, { type: "choke" }, { type: "unchoke" });
      asked += requestedFrom(peer, outputs).length;
    }
    assert.ok(asked <= 500 * 8);
    for (let i = 0; i < 3000; i++) world.say(peer, { type: "choke" }, { type: "unchoke" });
    assert.equal(world.whyClosed(peer), "flood");
  });

  test("WIR-35 a peer that stalls loses its requests to another", () => {
    const world = aLeech();
    const { asked } = aGiver(world);
    const other = aGiver(world);
    const later = world.wait(20_000);
    const moved = requestedFrom(other.peer, later);
    assert.ok(
      asked.every((each) =>
        [...moved, ...other.asked].some((b) => b.pieceIndex === each.pieceIndex),
      ),
    );
  });

  test("a peer that stalls in the middle of a block is cut off, and the block asked elsewhere", () => {
    const world = aLeech();
    const { peer, asked } = aGiver(world);
    assert.ok(world.torrent.wantsBlock(peer, asked[0] as BlockRef));
    const other = aGiver(world);
    const later = world.wait(40_000);
    assert.equal(world.whyClosed(peer), "stalled");
    assert.ok(requestedFrom(other.peer, later).some((each) => each.begin === asked[0]?.begin));
  });

  test("WIR-36 blocks of a broken connection are asked for elsewhere", () => {
    const world = aLeech();
    const { peer, asked } = aGiver(world);
    const other = aGiver(world);
    world.torrent.handleLinkClosed(world.now, peer);
    const moved = requestedFrom(other.peer, world.collect());
    assert.equal(moved.length + other.asked.length, asked.length);
  });

  test("WIR-34 a peer that says nothing for three minutes is let go", () => {
    const world = aLeech();
    const peer = world.connect();
    world.wait(200_000);
    assert.equal(world.whyClosed(peer), "idle");
  });

  test("a disk that fails is tried again after a while", () => {
    const world = aLeech();
    const { peer, asked } = aGiver(world);
    for (const each of asked.slice(0, 2)) world.give(peer, each);
    world.torrent.handleCommitted(world.now, asked[0]?.pieceIndex as number, "failed");
    assert.deepEqual(requestedFrom(peer, world.collect()), []);
    const again = requestedFrom(peer, world.wait(6000));
    assert.deepEqual(
      new Set(again.map((each) => each.pieceIndex)),
      new Set([asked[0]?.pieceIndex]),
    );
  });

  test("a peer that lost our requests is let go, so that a new connection may ask again", () => {
    const world = aLeech();
    const { peer } = aGiver(world);
    world.wait(70_000);
    assert.equal(world.whyClosed(peer), "stalled");
  });

  test("a peer that rejects what it offered is left alone for a while, and another is asked", () => {
    const world = aLeech();
    const { peer, asked } = aGiver(world);
    const other = aGiver(world);
    const rejects = asked.map((each): PeerMessage => ({ type: "reject", block: each }));
    const outputs = world.say(peer, ...rejects);
    assert.deepEqual(requestedFrom(peer, outputs), []);
    assert.equal(requestedFrom(other.peer, outputs).length + other.asked.length, asked.length);
  });

  test("after a stop nothing new is begun", () => {
    const world = new TorrentWorld(info, { webSeeds: 1 });
    world.torrent.start(world.now);
    aGiver(world);
    world.collect();
    world.torrent.stop(world.now);
    const types = new Set(world.collect().map((output) => output.type));
    assert.ok(!types.has("fetch") && !types.has("request"), [...types].join());
  });
});

test("WIR-27 who alone gave a bad piece is banned, with all connections of its host", () => {
  const world = aLeech();
  const host = "192.0.2.7";
  const [liar, beside, other] = [world.connect({ host }), world.connect({ host }), world.connect()];
  world.say(liar, bitfield(0b0001_0000), { type: "unchoke" });
  for (const each of requestedFrom(liar, world.outputs)) world.give(liar, each);
  world.torrent.handleCommitted(world.now, 3, "hash-mismatch");
  world.collect();

  assert.equal(world.whyClosed(liar), "banned");
  assert.equal(world.whyClosed(beside), "banned");
  assert.equal(world.whyClosed(other), undefined);
  assert.equal(world.whyClosed(world.connect({ host })), "banned");
});

test("a web seed alone offers nothing for certain, a peer what it has", () => {
  const world = new TorrentWorld(info, { webSeeds: 1 });
  assert.equal(world.torrent.figures(world.now).offeredPieces, 0);
  world.say(world.connect(), bitfield(0b0001_0000));
  assert.equal(world.torrent.figures(world.now).offeredPieces, 1);
  world.say(world.connect(), { type: "have-all" });
  assert.equal(world.torrent.figures(world.now).offeredPieces, 4);
});
