/**
 * A frame: consecutive `piece` messages in one buffer. Headers are written first; payloads are read
 * straight into the gaps, adjacent blocks by one read with several views.
 */
import type { BlockReader } from "../../ports/peer-transport.ts";
import type { BlockRef } from "../../protocol/metainfo/piece-geometry.ts";
import { writePieceHeader } from "../../protocol/wire/encoder.ts";
import { PIECE_HEADER_LENGTH } from "../../protocol/wire/layout.ts";
import { MAX_FRAME_LENGTH, type SendBuffer } from "./tcp-link-buffers.ts";

/** Blocks to send, and how to read them. */
export interface FrameSource {
  readonly blocks: readonly BlockRef[];
  /** Offset of each block in the content. */
  readonly offsets: readonly number[];
  readonly read: BlockReader;
}

/** Blocks ready to be written. */
export interface Frame {
  readonly buffer: SendBuffer;
  /** The part of `buffer` that is used. */
  readonly bytes: Uint8Array;
  readonly blockCount: number;
  /** Payload bytes of all blocks of the source, when this frame has the last of them. */
  readonly sentBytes: number | undefined;
}

/** Buffer lengths for the blocks from `first` on: for as many as a frame can hold, and for one. */
export function frameLengths(
  blocks: readonly BlockRef[],
  first: number,
): { readonly length: number; readonly leastLength: number } {
  const leastLength = framedLength(blocks[first] as BlockRef);
  let length = leastLength;
  for (let i = first + 1; i < blocks.length; i++) {
    const next = length + framedLength(blocks[i] as BlockRef);
    if (next > MAX_FRAME_LENGTH) break;
    length = next;
  }
  return { length, leastLength };
}

/**
 * Fills `buffer` with as many blocks from `first` on as fit. The frame is whole once `reading`, if there
 * is any, has resolved; it rejects when a read does.
 */
export function readFrame(
  buffer: SendBuffer,
  source: FrameSource,
  first: number,
): { readonly frame: Frame; readonly reading: Promise<unknown> | undefined } {
  const { blocks, offsets, read } = source;
  const reads: Promise<void>[] = [];
  const readRun = (offset: number, views: Uint8Array[]): void => {
    const reading = views.length === 0 ? undefined : read(offset, views);
    if (reading !== undefined) reads.push(reading);
  };
  let views: Uint8Array[] = [];
  let runOffset = 0;
  let nextOffset: number | undefined;
  let at = 0;
  let end = first;
  for (; end < blocks.length; end++) {
    const block = blocks[end] as BlockRef;
    if (at + framedLength(block) > buffer.length) break;
    writePieceHeader(buffer.bytes, at, block);
    at += PIECE_HEADER_LENGTH;
    const offset = offsets[end] as number;
    if (offset !== nextOffset) {
      readRun(runOffset, views);
      views = [];
      runOffset = offset;
    }
    views.push(buffer.payloadAt(at, block.length));
    at += block.length;
    nextOffset = offset + block.length;
  }
  readRun(runOffset, views);
  const frame = {
    buffer,
    bytes: buffer.bytes.subarray(0, at),
    blockCount: end - first,
    sentBytes: end === blocks.length ? payloadLength(blocks) : undefined,
  };
  return { frame, reading: reads.length === 0 ? undefined : Promise.all(reads) };
}

function framedLength(block: BlockRef): number {
  return PIECE_HEADER_LENGTH + block.length;
}

function payloadLength(blocks: readonly BlockRef[]): number {
  return blocks.reduce((sum, block) => sum + block.length, 0);
}
