/**
 * Speed of the peer message codec on one core, without sockets: `node bench/wire.ts [GIBIBYTES]`.
 * Reads are 256 KiB, as the TCP link's; blocks go to pieces of 1 MiB, as the runtime's.
 */
import { argv, stdout } from "node:process";
import { BLOCK_LENGTH } from "../src/base/units.ts";
import type { BlockRef } from "../src/protocol/metainfo/piece-geometry.ts";
import { WireDecoder } from "../src/protocol/wire/decoder.ts";
import { encodeRequests, writePieceHeader } from "../src/protocol/wire/encoder.ts";
import { PIECE_HEADER_LENGTH } from "../src/protocol/wire/layout.ts";

const READ_LENGTH = 256 * 1024;
const PIECE_LENGTH = 1024 * 1024;
const BLOCKS_PER_PIECE = PIECE_LENGTH / BLOCK_LENGTH;
const FRAME_LENGTH = PIECE_HEADER_LENGTH + BLOCK_LENGTH;

const totalBytes = Number(argv[2] ?? 4) * 2 ** 30;
const blocks = Array.from({ length: 16 * BLOCKS_PER_PIECE }, (_, i): BlockRef => {
  const begin = (i % BLOCKS_PER_PIECE) * BLOCK_LENGTH;
  return { pieceIndex: Math.floor(i / BLOCKS_PER_PIECE), begin, length: BLOCK_LENGTH };
});

/** Runs `round` until it has handled `totalBytes`, and reports its speed. */
function bench(what: string, round: () => { readonly bytes: number; readonly blocks: number }) {
  round();
  let bytes = 0;
  let blockCount = 0;
  const startedAt = performance.now();
  while (bytes < totalBytes) {
    const done = round();
    bytes += done.bytes;
    blockCount += done.blocks;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const gigabytes = (bytes / 1e9 / seconds).toFixed(2).padStart(7);
  const perSecond = Math.round(blockCount / seconds).toLocaleString("en");
  stdout.write(`${what.padEnd(32)} ${gigabytes} GB/s ${perSecond.padStart(12)} blocks/s\n`);
}

/** `stream` in reads of READ_LENGTH. */
function readsOf(stream: Uint8Array): readonly Uint8Array[] {
  const reads: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += READ_LENGTH) {
    reads.push(stream.subarray(at, at + READ_LENGTH));
  }
  return reads;
}

function benchDecodeBlocks(what: string, keepsBlocks: boolean): void {
  const stream = new Uint8Array(blocks.length * FRAME_LENGTH);
  for (const [i, block] of blocks.entries()) writePieceHeader(stream, i * FRAME_LENGTH, block);
  const reads = readsOf(stream);
  const piece = new Uint8Array(PIECE_LENGTH);
  let received = 0;
  const decoder = new WireDecoder({
    handleMessage: () => {},
    handleRequests: () => {},
    blockTarget: (block) =>
      keepsBlocks ? piece.subarray(block.begin, block.begin + block.length) : undefined,
    handleBlock: () => {
      received++;
    },
  });

  bench(what, () => {
    const before = received;
    for (const read of reads) decoder.push(read);
    return { bytes: stream.length, blocks: received - before };
  });
}

/** Requests are counted with the payload that they ask for. */
function benchRequests(): void {
  const requests = encodeRequests(blocks);
  let received = 0;
  const decoder = new WireDecoder({
    handleMessage: () => {},
    handleRequests: (batch) => {
      received += batch.length;
    },
    blockTarget: () => undefined,
    handleBlock: () => {},
  });

  bench("decode requests (payload asked)", () => {
    const before = received;
    decoder.push(requests);
    return { bytes: (received - before) * BLOCK_LENGTH, blocks: received - before };
  });
  bench("encode requests (payload asked)", () => {
    encodeRequests(blocks);
    return { bytes: blocks.length * BLOCK_LENGTH, blocks: blocks.length };
  });
}

function benchPieceHeaders(): void {
  const buffer = new Uint8Array(blocks.length * FRAME_LENGTH);

  bench("write piece headers (in gaps)", () => {
    let at = 0;
    for (const block of blocks) {
      writePieceHeader(buffer, at, block);
      at += FRAME_LENGTH;
    }
    return { bytes: buffer.length, blocks: blocks.length };
  });
}

benchDecodeBlocks("decode blocks, copied", true);
benchDecodeBlocks("decode blocks, dropped", false);
benchRequests();
benchPieceHeaders();
