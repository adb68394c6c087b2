/**
 * Bytes of one peer, as they arrive, to messages (BEP 3, 5, 6, 10), after the handshake.
 *
 * The product's hottest path: a block's payload is copied once, from the read buffer to where it
 * belongs, and what is allocated is one object per block, not per read or byte. A message may be
 * split over reads at any byte. Memory is bounded by the limits in layout.ts, and grows only with
 * bytes that really arrived.
 */
import { assert } from "../../base/assert.ts";
import { type CopyBytes, copyBytes } from "../../base/bytes.ts";
import type { BlockRef } from "../metainfo/piece-geometry.ts";
import { readUint16, readUint32 } from "./big-endian.ts";
import {
  LENGTH_PREFIX_LENGTH,
  MAX_BITFIELD_LENGTH,
  MAX_BLOCK_LENGTH,
  MAX_EXTENSION_HANDSHAKE_LENGTH,
  MAX_MESSAGE_LENGTH,
  messageIds,
  PIECE_HEADER_LENGTH,
  REQUEST_LENGTH,
} from "./layout.ts";
import type { PeerMessage, WireViolation } from "./message.ts";

/** What the decoder tells. Calls come in the order of the peer's messages, from within `push`. */
export interface WireHandler {
  handleMessage(message: PeerMessage): void;
  /** Consecutive requests of one push, in order. */
  handleRequests(blocks: readonly BlockRef[]): void;
  /** Where the payload of `block` goes (exactly `block.length` bytes), or undefined to drop it. */
  blockTarget(block: BlockRef): Uint8Array | undefined;
  /** The payload has arrived; `wasKept` is false when it was dropped. */
  handleBlock(block: BlockRef, wasKept: boolean): void;
}

/** First capacity of a buffer for a bitfield or extended message that arrives in parts. */
const FIRST_BUFFER_LENGTH = 16 * 1024;

/** Value of the length prefix of messages that have only one. */
const exactLengths: Readonly<Record<number, number | undefined>> = {
  [messageIds.choke]: 1,
  [messageIds.unchoke]: 1,
  [messageIds.interested]: 1,
  [messageIds.notInterested]: 1,
  [messageIds.have]: 5,
  [messageIds.request]: 13,
  [messageIds.cancel]: 13,
  [messageIds.suggest]: 5,
  [messageIds.haveAll]: 1,
  [messageIds.haveNone]: 1,
  [messageIds.reject]: 13,
  [messageIds.allowedFast]: 5,
};

/** A push decoder for one connection. */
export class WireDecoder {
  readonly #handler: WireHandler;
  readonly #copy: CopyBytes;
  #violation: WireViolation | undefined;
  #isStopped = false;
  #requests: BlockRef[] = [];

  /** The beginning of a message's head that a read cut off. */
  readonly #head = new Uint8Array(REQUEST_LENGTH);
  #headFilled = 0;

  /** Body bytes of the current message that are still to come. */
  #bodyRest = 0;
  /** Where they go; undefined when they are dropped. */
  #body: Uint8Array | undefined;
  #bodyFilled = 0;
  /** The block that the body is the payload of. */
  #block: BlockRef | undefined;
  /** Otherwise, the id of the extended message that it is, or undefined for a bitfield. */
  #extendedId: number | undefined;

  /** `copy`: how payload gets into its target. */
  constructor(handler: WireHandler, copy: CopyBytes = copyBytes) {
    this.#handler = handler;
    this.#copy = copy;
  }

  /**
   * Takes what one read brought; `bytes` is not kept. @returns the violation that ended decoding,
   * if any: nothing is told after it, and the connection must be closed.
   */
  push(bytes: Uint8Array): WireViolation | undefined {
    let at = 0;
    while (at < bytes.length && !this.#isStopped) {
      at = this.#bodyRest > 0 ? this.#readBody(bytes, at) : this.#readHead(bytes, at);
    }
    this.#deliverRequests();
    return this.#violation;
  }

  /** Ends decoding, also from within a call to the handler: no further call follows. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Reads a head at `at`, or keeps its beginning. @returns the offset after it. */
  #readHead(bytes: Uint8Array, at: number): number {
    if (this.#headFilled > 0) return this.#continueHead(bytes, at);
    const headLength = this.#headLength(bytes, at, bytes.length);
    if (headLength > bytes.length - at) {
      this.#head.set(bytes.subarray(at));
      this.#headFilled = bytes.length - at;
      return bytes.length;
    }
    this.#begin(bytes, at);
    return at + headLength;
  }

  /** Completes a head that an earlier read cut off. */
  #continueHead(bytes: Uint8Array, at: number): number {
    const before = this.#headFilled;
    const added = Math.min(this.#head.length - before, bytes.length - at);
    this.#head.set(bytes.subarray(at, at + added), before);
    const headLength = this.#headLength(this.#head, 0, before + added);
    if (headLength > before + added) {
      this.#headFilled = before + added;
      return at + added;
    }
    this.#headFilled = 0;
    this.#begin(this.#head, 0);
    return at + headLength - before;
  }

  /**
   * Bytes that must be there to act on the message at `at`, as far as those before `end` tell:
   * the whole message, or what precedes a long body. Refuses a bad length as soon as it is there.
   */
  #headLength(bytes: Uint8Array, at: number, end: number): number {
    if (end - at < LENGTH_PREFIX_LENGTH) return LENGTH_PREFIX_LENGTH;
    const length = readUint32(bytes, at);
    if (length === 0) return LENGTH_PREFIX_LENGTH;
    if (length > MAX_MESSAGE_LENGTH) return this.#refuse({ code: "message-too-large", length });
    if (end - at < 5) return 5;
    const id = bytes[at + 4] as number;
    const violation = lengthViolation(id, length);
    if (violation !== undefined) return this.#refuse(violation);
    if (id === messageIds.piece) return PIECE_HEADER_LENGTH;
    if (id === messageIds.extended) return 6;
    if (id === messageIds.port && length === 3) return 7;
    return exactLengths[id] === undefined ? 5 : LENGTH_PREFIX_LENGTH + length;
  }

  /** Acts on the complete head at `at`. */
  #begin(bytes: Uint8Array, at: number): void {
    if (this.#isStopped) return;
    const length = readUint32(bytes, at);
    const id = length === 0 ? undefined : (bytes[at + 4] as number);
    if (id === messageIds.request) return this.#beginRequest(readBlock(bytes, at));
    this.#deliverRequests();
    if (this.#isStopped) return;
    switch (id) {
      case messageIds.piece: {
        const pieceIndex = readUint32(bytes, at + 5);
        return this.#beginBlock({
          pieceIndex,
          begin: readUint32(bytes, at + 9),
          length: length - 9,
        });
      }
      case messageIds.bitfield:
        return this.#beginBody(undefined, length - 1);
      case messageIds.extended:
        return this.#beginExtended(bytes[at + 5] as number, length - 2);
      default: {
        const message = parseMessage(bytes, at, id);
        if (message !== undefined) this.#handler.handleMessage(message);
        else this.#bodyRest = length - 1;
      }
    }
  }

  #beginRequest(block: BlockRef): void {
    if (block.length === 0 || block.length > MAX_BLOCK_LENGTH) {
      this.#refuse({ code: "bad-length", id: messageIds.request, length: block.length });
      return;
    }
    this.#requests.push(block);
  }

  #beginBlock(block: BlockRef): void {
    const target = this.#handler.blockTarget(block);
    assert(
      target === undefined || target.length === block.length,
      "block target has another length",
    );
    this.#block = block;
    this.#body = target;
    this.#bodyRest = block.length;
    this.#bodyFilled = 0;
  }

  #beginExtended(extendedId: number, length: number): void {
    if (extendedId === 0 && length > MAX_EXTENSION_HANDSHAKE_LENGTH) {
      this.#refuse({ code: "message-too-large", length });
      return;
    }
    this.#beginBody(extendedId, length);
  }

  #beginBody(extendedId: number | undefined, length: number): void {
    this.#extendedId = extendedId;
    this.#body = new Uint8Array(Math.min(length, FIRST_BUFFER_LENGTH));
    this.#bodyRest = length;
    this.#bodyFilled = 0;
    if (length === 0) this.#endBody();
  }

  /** Takes body bytes from `at` on. @returns the offset after them. */
  #readBody(bytes: Uint8Array, at: number): number {
    const end = at + Math.min(this.#bodyRest, bytes.length - at);
    if (this.#body !== undefined) this.#copyToBody(this.#body, bytes.subarray(at, end));
    this.#bodyRest -= end - at;
    if (this.#bodyRest === 0) this.#endBody();
    return end;
  }

  #copyToBody(body: Uint8Array, bytes: Uint8Array): void {
    const filled = this.#bodyFilled + bytes.length;
    if (filled <= body.length) {
      this.#copy(bytes, body, this.#bodyFilled);
    } else {
      const wholeLength = this.#bodyFilled + this.#bodyRest;
      const grown = new Uint8Array(Math.min(wholeLength, Math.max(filled, 2 * body.length)));
      grown.set(body.subarray(0, this.#bodyFilled));
      grown.set(bytes, this.#bodyFilled);
      this.#body = grown;
    }
    this.#bodyFilled = filled;
  }

  #endBody(): void {
    const body = this.#body;
    const block = this.#block;
    const id = this.#extendedId;
    this.#body = undefined;
    this.#block = undefined;
    if (block !== undefined) {
      this.#handler.handleBlock(block, body !== undefined);
    } else if (body !== undefined) {
      this.#handler.handleMessage(
        id === undefined
          ? { type: "bitfield", bytes: body }
          : { type: "extended", id, payload: body },
      );
    }
  }

  #deliverRequests(): void {
    if (this.#requests.length === 0 || this.#isStopped) return;
    const requests = this.#requests;
    this.#requests = [];
    this.#handler.handleRequests(requests);
  }

  /** Ends decoding. @returns 0, a head length that is always there. */
  #refuse(violation: WireViolation): 0 {
    this.#violation = violation;
    this.#isStopped = true;
    return 0;
  }
}

/** What is wrong with a message of `id` whose prefix says `length` (≥ 1). */
function lengthViolation(id: number, length: number): WireViolation | undefined {
  const exactLength = exactLengths[id];
  if (exactLength !== undefined) {
    return length === exactLength ? undefined : { code: "bad-length", id, length };
  }
  if (id === messageIds.piece) {
    // An empty block makes no progress, so nobody sends one in good faith.
    if (length < 10) return { code: "bad-length", id, length };
    return length - 9 > MAX_BLOCK_LENGTH ? { code: "message-too-large", length } : undefined;
  }
  if (id === messageIds.bitfield && length - 1 > MAX_BITFIELD_LENGTH) {
    return { code: "message-too-large", length };
  }
  return id === messageIds.extended && length < 2 ? { code: "bad-length", id, length } : undefined;
}

/** The short message of `id` at `at`, or undefined when we do not know it. */
function parseMessage(
  bytes: Uint8Array,
  at: number,
  id: number | undefined,
): PeerMessage | undefined {
  switch (id) {
    case undefined:
      return { type: "keep-alive" };
    case messageIds.choke:
      return { type: "choke" };
    case messageIds.unchoke:
      return { type: "unchoke" };
    case messageIds.interested:
      return { type: "interested" };
    case messageIds.notInterested:
      return { type: "not-interested" };
    case messageIds.have:
      return { type: "have", pieceIndex: readUint32(bytes, at + 5) };
    case messageIds.cancel:
      return { type: "cancel", block: readBlock(bytes, at) };
    case messageIds.port:
      // A port message of another length is skipped like an unknown one: nothing hangs on it.
      return readUint32(bytes, at) === 3
        ? { type: "port", port: readUint16(bytes, at + 5) }
        : undefined;
    case messageIds.suggest:
      return { type: "suggest", pieceIndex: readUint32(bytes, at + 5) };
    case messageIds.haveAll:
      return { type: "have-all" };
    case messageIds.haveNone:
      return { type: "have-none" };
    case messageIds.reject:
      return { type: "reject", block: readBlock(bytes, at) };
    case messageIds.allowedFast:
      return { type: "allowed-fast", pieceIndex: readUint32(bytes, at + 5) };
    default:
      return undefined;
  }
}

/** The block that a request, cancel or reject at `at` names. */
function readBlock(bytes: Uint8Array, at: number): BlockRef {
  return {
    pieceIndex: readUint32(bytes, at + 5),
    begin: readUint32(bytes, at + 9),
    length: readUint32(bytes, at + 13),
  };
}
