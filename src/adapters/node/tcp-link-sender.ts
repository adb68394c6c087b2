/**
 * The sending half of a TCP link: small messages and blocks leave in the order of the calls, though
 * blocks have to be read first.
 *
 * Calls of one tick are gathered. Blocks are read straight into send buffers, in the gaps between
 * their headers, and written from there. What needs no waiting is read when the socket takes it, and
 * written while the processor's caches hold it; else one frame is read while another is written. So
 * what a slow peer costs is bounded. The socket is given one write at a time, not larger than what a
 * slow peer takes well within the time limit.
 */
import { assert } from "../../base/assert.ts";
import { concatBytes } from "../../base/bytes.ts";
import type { Millis } from "../../base/units.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { BlockReader, LinkCloseReason } from "../../ports/peer-transport.ts";
import type { BlockRef } from "../../protocol/metainfo/piece-geometry.ts";
import { IdleTimer } from "./clock-idle-timer.ts";
import { MAX_FRAME_LENGTH, type SendBufferPool } from "./tcp-link-buffers.ts";
import { type Frame, frameLengths, readFrame } from "./tcp-link-frame.ts";
import type { LoopNaps } from "./tcp-link-naps.ts";
import type { PeerSocket } from "./tcp-link-socket.ts";
import type { LoopTurns } from "./tcp-link-turns.ts";

/** What links of one transport share. */
export interface LinkContext {
  readonly clock: Clock;
  readonly buffers: SendBufferPool;
  readonly turns: LoopTurns;
  readonly naps: LoopNaps | undefined;
  /** Without progress for this long, the link ends with `send-timeout`. */
  readonly sendTimeoutMs: Millis;
}

/** What a sender tells its link, never from within a method. */
export interface SenderHandler {
  handleBlocksSent(payloadBytes: number): void;
  /** `isCongested` became false. */
  handleRelief(): void;
  handleFailure(reason: LinkCloseReason): void;
}

/** One `sendBlocks` call. */
interface Batch {
  readonly blocks: readonly BlockRef[];
  readonly offsets: readonly number[];
  readonly read: BlockReader;
  /** Blocks that are in a frame already. */
  framedCount: number;
}

/** Bytes to write, in order. Messages and frames. */
interface Chunk {
  readonly bytes: Uint8Array;
  readonly frame: Frame | undefined;
}

/** What can wait is sent this late at most: a few packets of a fast peer, nothing to a slow one. */
const LATER_MS = 10;
/** Frames of one link that are read, waiting or being written, when reads take time. */
const MAX_FRAMES = 2;

/** At one write of this length a minute, a peer takes 4 KiB/s: slower than any that is of use. */
const CAREFUL_WRITE_LENGTH = 256 * 1024;
/** A peer that took a write within this time gets the next frame in one. */
const FAST_WRITE_MS = 1000;

/** Messages above this are a peer that asks without reading the answers; two full bitfields fit. */
const CONGESTED_BYTES = 1024 * 1024;

/** Sends over one socket. */
export class LinkSender {
  readonly #socket: PeerSocket;
  readonly #context: LinkContext;
  readonly #handler: SenderHandler;

  /** What was asked for, in order: messages (encoded), and blocks that are not all framed. */
  readonly #queue: (Uint8Array[] | Batch)[] = [];
  #isFlushPlanned = false;
  #laterTimer: Timer | undefined;
  #isReading = false;
  #frameCount = 0;
  /** More than one only pays while reads take time. */
  #mostFrames = 1;
  #openBatchCount = 0;
  /** Bytes of messages not yet taken by the system. */
  #messageBytes = 0;

  readonly #chunks: Chunk[] = [];
  /** Bytes of the first chunk that the system has taken. */
  #writtenLength = 0;
  #isWriting = false;
  #maxWriteLength = CAREFUL_WRITE_LENGTH;
  readonly #progress: IdleTimer;
  #isClosed = false;

  constructor(socket: PeerSocket, context: LinkContext, handler: SenderHandler) {
    this.#socket = socket;
    this.#context = context;
    this.#handler = handler;
    this.#progress = new IdleTimer(context.clock, context.sendTimeoutMs, () =>
      handler.handleFailure({ code: "send-timeout" }),
    );
  }

  /** So many messages wait that their cause, the peer's own messages, should not be read. */
  get isCongested(): boolean {
    return this.#messageBytes > CONGESTED_BYTES;
  }

  /** Sends encoded messages that nobody waits for: with the next ones, or after a moment. */
  sendLater(bytes: Uint8Array): void {
    this.#enqueue(bytes);
    if (this.#isFlushPlanned) return;
    this.#laterTimer ??= this.#context.clock.setTimer(LATER_MS, () => this.#planFlush());
  }

  /** Sends encoded messages. */
  send(bytes: Uint8Array): void {
    this.#enqueue(bytes);
    this.#planFlush();
  }

  #enqueue(bytes: Uint8Array): void {
    const last = this.#queue.at(-1);
    if (Array.isArray(last)) last.push(bytes);
    else this.#queue.push([bytes]);
    this.#messageBytes += bytes.length;
  }

  /** As `PeerLink.sendBlocks`. */
  sendBlocks(blocks: readonly BlockRef[], offsets: readonly number[], read: BlockReader): void {
    assert(blocks.length > 0 && blocks.length === offsets.length, "an offset for each block");
    assert(this.#openBatchCount < 2, "more than two sendBlocks calls open");
    this.#openBatchCount++;
    this.#queue.push({ blocks, offsets, read, framedCount: 0 });
    this.#planFlush();
  }

  /** Ends all activity; nothing is told after it. */
  close(): void {
    this.#isClosed = true;
    this.#progress.end();
    this.#laterTimer?.cancel();
    // The system may still be reading from these.
    for (const { frame } of this.#chunks) if (frame) this.#context.buffers.discard(frame.buffer);
    this.#chunks.length = 0;
    this.#queue.length = 0;
  }

  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    this.#context.turns.plan(this.#runFlush);
  }

  readonly #runFlush = (): void => {
    this.#isFlushPlanned = false;
    this.#laterTimer?.cancel();
    this.#laterTimer = undefined;
    if (!this.#isClosed) this.#flush();
  };

  /** Moves on whatever can move. */
  #flush(): void {
    while (!this.#isReading) {
      const item = this.#queue[0];
      if (item === undefined) break;
      if (!Array.isArray(item)) {
        if (this.#frameCount >= this.#mostFrames) break;
        this.#readNextFrame(item);
        continue;
      }
      this.#queue.shift();
      const bytes = item.length === 1 ? (item[0] as Uint8Array) : concatBytes(item);
      this.#chunks.push({ bytes, frame: undefined });
    }
    if (!this.#isWriting) this.#writeNext();
  }

  #readNextFrame(batch: Batch): void {
    const { buffers, turns } = this.#context;
    const first = batch.framedCount;
    const { length, leastLength } = frameLengths(batch.blocks, first);
    const buffer = buffers.take(length, leastLength);
    const { frame, reading } = readFrame(buffer, batch, first);
    turns.spend(frame.bytes.length);
    this.#frameCount++;
    this.#isReading = reading !== undefined;
    this.#mostFrames = reading === undefined ? 1 : MAX_FRAMES;
    if (reading === undefined) return this.#addFrame(batch, frame);
    reading.then(
      () => {
        this.#isReading = false;
        if (this.#isClosed) return buffers.release(buffer);
        this.#addFrame(batch, frame);
        this.#planFlush();
      },
      (error: unknown) => {
        // Another read of this frame may still be filling the buffer.
        buffers.discard(buffer);
        if (this.#isClosed) return;
        const message = error instanceof Error ? error.message : String(error);
        this.#handler.handleFailure({ code: "local", why: `content cannot be read: ${message}` });
      },
    );
  }

  #addFrame(batch: Batch, frame: Frame): void {
    batch.framedCount += frame.blockCount;
    if (batch.framedCount === batch.blocks.length) this.#queue.shift();
    this.#chunks.push({ bytes: frame.bytes, frame });
  }

  #writeNext(): void {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return;
    const { bytes } = chunk;
    const { clock } = this.#context;
    const startedAt = clock.now();
    const from = this.#writtenLength;
    const end = Math.min(bytes.length, from + this.#maxWriteLength);
    const part = end - from === bytes.length ? bytes : bytes.subarray(from, end);
    this.#isWriting = true;
    this.#progress.watch();
    this.#context.turns.spend(part.length);
    this.#context.naps?.handleWrite(part.length);
    this.#socket.write(part, () => {
      this.#isWriting = false;
      this.#progress.rest();
      const isFast = clock.now() - startedAt < FAST_WRITE_MS;
      this.#maxWriteLength = isFast ? MAX_FRAME_LENGTH : CAREFUL_WRITE_LENGTH;
      this.#writtenLength += part.length;
      if (this.#writtenLength === bytes.length) this.#endChunk(chunk);
      if (!this.#isClosed) this.#planFlush();
    });
  }

  #endChunk({ bytes, frame }: Chunk): void {
    this.#chunks.shift();
    this.#writtenLength = 0;
    if (frame === undefined) {
      const wasCongested = this.isCongested;
      this.#messageBytes -= bytes.length;
      if (wasCongested && !this.isCongested) this.#handler.handleRelief();
      return;
    }
    this.#frameCount--;
    this.#context.buffers.release(frame.buffer);
    if (frame.sentBytes === undefined) return;
    this.#openBatchCount--;
    this.#handler.handleBlocksSent(frame.sentBytes);
  }
}
