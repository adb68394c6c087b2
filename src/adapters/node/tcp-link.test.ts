/** Messages, blocks and endings of links over real loopback sockets. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LinkRecorder } from "../../../test/support/link-recorder.ts";
import {
  endTcpPeers,
  linkPair,
  ours,
  rawClient,
  rawPeer,
  TestListener,
} from "../../../test/support/tcp-peers.ts";
import { encodeMessage, encodeRequests, writePieceHeader } from "../../protocol/wire/encoder.ts";
import { encodeHandshake, HANDSHAKE_LENGTH } from "../../protocol/wire/handshake.ts";

afterEach(endTcpPeers);

/** Content whose byte at offset i is known, and a reader that counts its calls. */
function countingReader(): {
  calls: number;
  read: (at: number, views: readonly Uint8Array[]) => Promise<void>;
} {
  const reader = {
    calls: 0,
    read: async (offset: number, views: readonly Uint8Array[]) => {
      reader.calls++;
      let at = offset;
      for (const view of views) for (let i = 0; i < view.length; i++) view[i] = contentAt(at++);
    },
  };
  return reader;
}

const contentAt = (offset: number): number => (offset * 31 + (offset >> 13)) & 255;
const blockAt = (index: number) => ({ pieceIndex: index, begin: 0, length: 16_384 });

test("a HAVE leaves with the next message, or after 10 ms", async () => {
  const { dialled, accepted } = await linkPair();
  dialled.link.send({ type: "have", pieceIndex: 1 });
  dialled.link.send({ type: "have", pieceIndex: 2 });
  await nextTurn();
  assert.deepEqual(accepted.heard, []);
  dialled.link.send({ type: "interested" });
  await accepted.untilHeard(3);
  assert.deepEqual(accepted.heard, [
    { type: "have", pieceIndex: 1 },
    { type: "have", pieceIndex: 2 },
    { type: "interested" },
  ]);
  assert.equal(accepted.readEnds, 1);
});

test("messages and requests arrive in order, in both directions", async () => {
  const { dialled, accepted } = await linkPair();
  const blocks = [blockAt(1), blockAt(2), blockAt(3)];

  dialled.link.send({ type: "interested" });
  dialled.link.sendRequests(blocks);
  dialled.link.send({ type: "have", pieceIndex: 7 });
  accepted.link.send({ type: "bitfield", bytes: new Uint8Array(100_000).fill(9) });
  accepted.link.send({ type: "unchoke" });

  await accepted.untilHeard(3);
  await dialled.untilHeard(2);
  assert.deepEqual(accepted.heard, [
    { type: "interested" },
    { requests: blocks },
    { type: "have", pieceIndex: 7 },
  ]);
  assert.deepEqual(dialled.heard, [
    { type: "bitfield", bytes: new Uint8Array(100_000).fill(9) },
    { type: "unchoke" },
  ]);
  assert.ok(accepted.readEnds > 0);
});

test("what arrives before start is not lost", async () => {
  const listener = await TestListener.start();
  const { socket } = await rawClient(listener.address);
  socket.write(Buffer.concat([encodeHandshake(ours), encodeMessage({ type: "interested" })]));
  const link = await listener.nextLink();
  socket.write(encodeMessage({ type: "have", pieceIndex: 1 }));
  await nextTurn();

  const peer = new LinkRecorder(link);

  await peer.untilHeard(2);
  assert.deepEqual(peer.heard, [{ type: "interested" }, { type: "have", pieceIndex: 1 }]);
});

for (const direction of ["dialled", "accepted"] as const) {
  test(`blocks arrive whole at the ${direction} end, adjacent ones read in one go`, async () => {
    const pair = await linkPair();
    const receiver = pair[direction];
    const sender = direction === "dialled" ? pair.accepted : pair.dialled;
    // Three runs of adjacent blocks, more than one frame holds, and a short last block.
    const offsets = Array.from({ length: 150 }, (_, i) => (i + (i >= 70 ? 10 : 0)) * 16_384);
    const blocks = offsets.map((offset, i) => ({
      ...blockAt(offset / 16_384),
      length: i === 149 ? 99 : 16_384,
    }));
    const reader = countingReader();

    sender.link.sendBlocks(blocks, offsets, reader.read);

    await receiver.untilHeard(150);
    assert.deepEqual(
      receiver.heard.map((item) => "block" in item && item.block),
      blocks,
    );
    for (const [i, payload] of receiver.payloads.entries()) {
      assert.ok(payload.every((byte, k) => byte === contentAt((offsets[i] as number) + k)));
    }
    await sender.untilSent(1);
    assert.deepEqual(sender.sent, [149 * 16_384 + 99]);
    // Frames of 64 blocks: 0-63, 64-69 with 70-127, 128-149.
    assert.equal(reader.calls, 4);
  });
}

test("blocks that are read without waiting need one buffer, one frame after the other", async () => {
  const { dialled, accepted } = await linkPair();
  const blocks = Array.from({ length: 150 }, (_, i) => blockAt(i));
  const offsets = blocks.map((_, i) => i * 16_384);
  const buffers = new Set<ArrayBufferLike>();
  const frames: number[] = [];
  const read = (offset: number, views: readonly Uint8Array[]): undefined => {
    for (const { buffer } of views) buffers.add(buffer);
    frames.push(offset / 16_384);
  };

  accepted.link.sendBlocks(blocks, offsets, read);

  await dialled.untilHeard(150);
  assert.deepEqual(frames, [0, 64, 128]);
  assert.equal(buffers.size, 1);
});

test("messages keep their place around blocks that are read slowly", async () => {
  const { dialled, accepted } = await linkPair();
  let endRead = (): void => {};
  const slowRead = (): Promise<void> => new Promise((resolve) => (endRead = resolve));

  accepted.link.send({ type: "unchoke" });
  accepted.link.sendBlocks([blockAt(1)], [0], slowRead);
  accepted.link.send({ type: "have", pieceIndex: 5 });
  accepted.link.sendBlocks([blockAt(2)], [0], async () => {});
  accepted.link.send({ type: "choke" });
  await dialled.untilHeard(1);
  assert.deepEqual(dialled.heard, [{ type: "unchoke" }]);
  endRead();

  await dialled.untilHeard(5);
  assert.deepEqual(dialled.heard.slice(1), [
    { block: blockAt(1) },
    { type: "have", pieceIndex: 5 },
    { block: blockAt(2) },
    { type: "choke" },
  ]);
});

test("content that cannot be read ends the link", async () => {
  const { dialled, accepted } = await linkPair();

  accepted.link.sendBlocks([blockAt(1)], [0], () => Promise.reject(new Error("disk is gone")));

  assert.deepEqual(await accepted.closed, {
    code: "local",
    why: "content cannot be read: disk is gone",
  });
  assert.deepEqual(await dialled.closed, { code: "remote-closed" });
});

test("close is told once, later, and ends everything", async () => {
  const { dialled, accepted } = await linkPair();
  accepted.link.send({ type: "unchoke" });

  dialled.link.close("enough");
  dialled.link.close("again");
  dialled.link.send({ type: "interested" });
  dialled.link.sendBlocks([blockAt(1)], [0], async () => {});

  assert.equal(dialled.closeCount, 0);
  assert.deepEqual(await dialled.closed, { code: "local", why: "enough" });
  assert.deepEqual(await accepted.closed, { code: "remote-closed" });
  assert.deepEqual(dialled.heard, []);
  assert.equal(dialled.closeCount, 1);
});

test("a link that ended before start tells it at start", async () => {
  const listener = await TestListener.start();
  const { socket } = await rawClient(listener.address);
  socket.write(encodeHandshake(ours));
  const link = await listener.nextLink();

  link.close("early");

  assert.deepEqual(await new LinkRecorder(link).closed, { code: "local", why: "early" });
});

test("a violation ends the link with its reason", async () => {
  const { socket, peer } = await rawPeer();

  socket.write(Buffer.concat([encodeMessage({ type: "interested" }), Buffer.alloc(4, 0xff)]));

  assert.deepEqual(await peer.closed, {
    code: "violation",
    violation: { code: "message-too-large", length: 0xffffffff },
  });
  assert.deepEqual(peer.heard, [{ type: "interested" }]);
});

test("WIR-36 a reset in the middle of a block ends the link, and the block is not told", async () => {
  const { socket, peer } = await rawPeer();
  const block = new Uint8Array(13 + 16_384);
  writePieceHeader(block, 0, blockAt(3));
  socket.write(encodeMessage({ type: "unchoke" }));
  socket.write(block.subarray(0, 5000));
  await peer.untilTargets(1);

  socket.resetAndDestroy();

  assert.deepEqual(await peer.closed, { code: "remote-closed" });
  assert.deepEqual(peer.heard, [{ type: "unchoke" }]);
});

test("WIR-37 a peer that reads nothing is closed after 60 s, and costs two frames", async () => {
  const { socket, peer, clock } = await rawPeer();
  socket.pause();
  // 64 MiB: far more than the system's buffers take.
  const blocks = Array.from({ length: 4096 }, (_, i) => blockAt(i));
  const offsets = blocks.map((_, i) => i * 16_384);
  let readBytes = 0;
  const read = async (_offset: number, views: readonly Uint8Array[]) => {
    for (const view of views) readBytes += view.length;
  };

  peer.link.sendBlocks(blocks, offsets, read);
  while (peer.closeCount === 0) {
    await nextTurn();
    clock.advance(10_000);
  }

  assert.deepEqual(await peer.closed, { code: "send-timeout" });
  assert.deepEqual(peer.sent, []);
  assert.ok(readBytes < 32 * 2 ** 20, `${readBytes} bytes were read`);
  assert.equal(clock.pendingCount, 0);
});

test("S2 WIR-37 a peer that asks and does not read its answers is not read either", async () => {
  const { socket, peer } = await rawPeer();
  socket.pause();
  const answer = { type: "extended", id: 1, payload: new Uint8Array(65_536) } as const;
  peer.onMessage = () => peer.link.send(answer);
  const question = encodeMessage({ type: "interested" });
  const questions = 1000;

  // One question at a time, until none is heard for many turns: 64 MB of answers fit nowhere.
  let asked = 0;
  for (let quietTurns = 0; quietTurns < 100; quietTurns++) {
    if (peer.heard.length === asked && asked < questions) {
      socket.write(question);
      asked++;
      quietTurns = 0;
    }
    await nextTurn();
  }
  const heardBefore = peer.heard.length;
  let receivedBytes = 0;
  socket.removeAllListeners("data").on("data", ({ length }: Buffer) => {
    receivedBytes += length;
    if (receivedBytes === HANDSHAKE_LENGTH + questions * (6 + 65_536)) socket.destroy();
  });
  socket.resume();
  for (; asked < questions; asked++) socket.write(question);
  await peer.closed;

  assert.ok(heardBefore < questions, `${heardBefore} heard`);
  assert.equal(peer.heard.length, questions);
});

test("requests of one read come as one batch", async () => {
  const { socket, peer } = await rawPeer();
  const blocks = Array.from({ length: 64 }, (_, i) => blockAt(i));

  socket.write(encodeRequests(blocks));

  await peer.untilHeard(1);
  assert.deepEqual(peer.heard, [{ requests: blocks }]);
});
