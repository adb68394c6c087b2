/**
 * Reads what a WebSocket client sends (RFC 6455): frames, unmasked where they lie, put together to
 * messages. Knows no extension. A peer that breaks the rules, or says too much, is told of by the code
 * to close with; nothing is read after that.
 */
import { closeCodes, FIN, isCloseCode, MAX_CONTROL_LENGTH, opcodes } from "./frame.ts";

/** Who hears of what was read. What it is given is good during the call only. */
export interface FrameSink {
  /** A message: UTF-8, which is not checked here, from `start` up to `end`. */
  onText(bytes: Uint8Array, start: number, end: number): void;
  onPing(payload: Uint8Array): void;
  onPong(): void;
  /** The peer closes, with 1005 for no reason. Nothing comes after it. */
  onClose(code: number): void;
}

/** Why a connection must be closed. */
export interface FrameViolation {
  readonly code: number;
  /** For the peer. */
  readonly reason: string;
}

/** Bounds of a message. */
export interface FrameReaderLimits {
  /** Bytes, all fragments together; at most 65 535. */
  readonly maxMessage: number;
  /** Fragments, the empty ones too. */
  readonly maxFragments: number;
}

const RSV = 0x70;
const OPCODE = 0x0f;
const MASK = 0x80;
const MASK_LENGTH = 4;
const CONTROL = 8;

const violations = {
  reserved: violation(closeCodes.protocolError, "reserved bits or opcode"),
  unmasked: violation(closeCodes.protocolError, "frames of clients are masked"),
  control: violation(closeCodes.protocolError, "control frames are whole and short"),
  fragments: violation(closeCodes.protocolError, "fragments out of order"),
  close: violation(closeCodes.protocolError, "invalid close frame"),
  binary: violation(closeCodes.unsupportedData, "messages are text"),
  tooBig: violation(closeCodes.tooBig, "message too big"),
  tooMany: violation(closeCodes.policyViolation, "too many fragments"),
};

export class FrameReader {
  readonly #limits: FrameReaderLimits;
  readonly #sink: FrameSink;
  /** The beginning of a frame whose rest did not come yet: the first `#restLength` bytes. */
  #rest: Uint8Array | undefined;
  #restLength = 0;
  /** The fragments of a message that is not complete, put together. */
  #message: Uint8Array | undefined;
  #messageLength = 0;
  #fragmentCount = 0;
  #isDone = false;

  constructor(limits: FrameReaderLimits, sink: FrameSink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  /**
   * Reads what came next, and changes it: it is unmasked in place. @returns why the connection must be
   * closed, if it must.
   */
  read(bytes: Uint8Array): FrameViolation | undefined {
    if (this.#rest === undefined) return this.#readFrames(bytes, bytes.length);
    this.#rest = joined(this.#rest, this.#restLength, bytes);
    this.#restLength += bytes.length;
    if (this.#restLength < frameLength(this.#rest, 0, this.#restLength)) {
      // It may be wrong already, and must not make us wait for what it announces.
      return this.#judgeHead(this.#rest, 0, this.#restLength);
    }
    const whole = this.#rest;
    this.#rest = undefined;
    return this.#readFrames(whole, this.#restLength);
  }

  #readFrames(bytes: Uint8Array, length: number): FrameViolation | undefined {
    let at = 0;
    while (at < length && !this.#isDone) {
      const wrong = this.#judgeHead(bytes, at, length);
      if (wrong !== undefined) return wrong;
      const end = at + frameLength(bytes, at, length);
      if (end > length) {
        // A copy: what came is the caller's, and may be much longer.
        this.#rest = bytes.slice(at, length);
        this.#restLength = length - at;
        return undefined;
      }
      const failure = this.#takeFrame(bytes, at, end);
      if (failure !== undefined) return this.#fail(failure);
      at = end;
    }
    return undefined;
  }

  /** What is wrong with the head of a frame, as far as it came. */
  #judgeHead(bytes: Uint8Array, at: number, length: number): FrameViolation | undefined {
    const first = bytes[at] as number;
    const opcode = first & OPCODE;
    const isControl = opcode >= CONTROL;
    if ((first & RSV) !== 0 || opcode > opcodes.pong || (opcode > opcodes.binary && !isControl)) {
      return this.#fail(violations.reserved);
    }
    if (opcode === opcodes.binary) return this.#fail(violations.binary);
    if (at + 1 >= length) return undefined;
    const second = bytes[at + 1] as number;
    if ((second & MASK) === 0) return this.#fail(violations.unmasked);
    const short = second & ~MASK;
    if (isControl) {
      const isFit = (first & FIN) !== 0 && short <= MAX_CONTROL_LENGTH;
      return isFit ? undefined : this.#fail(violations.control);
    }
    if ((opcode === opcodes.continuation) !== this.#fragmentCount > 0) {
      return this.#fail(violations.fragments);
    }
    if (this.#fragmentCount === this.#limits.maxFragments) return this.#fail(violations.tooMany);
    const payload = short === 127 ? Infinity : short < 126 ? short : longLength(bytes, at, length);
    const isFit = this.#messageLength + payload <= this.#limits.maxMessage;
    return isFit ? undefined : this.#fail(violations.tooBig);
  }

  #takeFrame(bytes: Uint8Array, at: number, end: number): FrameViolation | undefined {
    const first = bytes[at] as number;
    const short = (bytes[at + 1] as number) & ~MASK;
    const start = at + headLength(short);
    unmask(bytes, start - MASK_LENGTH, start, end);
    switch (first & OPCODE) {
      case opcodes.text:
      case opcodes.continuation:
        return this.#takeData(bytes, start, end, (first & FIN) !== 0);
      case opcodes.ping:
        this.#sink.onPing(bytes.subarray(start, end));
        return undefined;
      case opcodes.pong:
        this.#sink.onPong();
        return undefined;
      default:
        return this.#takeClose(bytes, start, end);
    }
  }

  #takeData(
    bytes: Uint8Array,
    start: number,
    end: number,
    isLast: boolean,
  ): FrameViolation | undefined {
    if (isLast && this.#fragmentCount === 0) {
      this.#sink.onText(bytes, start, end);
      return undefined;
    }
    this.#message = joined(this.#message, this.#messageLength, bytes.subarray(start, end));
    this.#messageLength += end - start;
    this.#fragmentCount++;
    if (!isLast) return undefined;
    const [message, length] = [this.#message, this.#messageLength];
    this.#message = undefined;
    this.#messageLength = 0;
    this.#fragmentCount = 0;
    this.#sink.onText(message, 0, length);
    return undefined;
  }

  #takeClose(bytes: Uint8Array, start: number, end: number): FrameViolation | undefined {
    const code =
      end === start
        ? closeCodes.noStatus
        : ((bytes[start] as number) << 8) | (bytes[start + 1] as number);
    const isFit = end === start || (end - start >= 2 && isCloseCode(code));
    if (!isFit) return violations.close;
    this.#finish();
    this.#sink.onClose(code);
    return undefined;
  }

  #fail(failure: FrameViolation): FrameViolation {
    this.#finish();
    return failure;
  }

  #finish(): void {
    this.#isDone = true;
    this.#rest = undefined;
    this.#message = undefined;
  }
}

/** The length of the frame at `at`, its head included; too long as long as its head is cut off. */
function frameLength(bytes: Uint8Array, at: number, length: number): number {
  if (at + 2 > length) return Infinity;
  const short = (bytes[at + 1] as number) & ~MASK;
  const payload = short < 126 ? short : longLength(bytes, at, length);
  return at + headLength(short) > length ? Infinity : headLength(short) + payload;
}

/** Frames of 2^16 bytes and more never get so far. */
function headLength(short: number): number {
  return (short < 126 ? 2 : 4) + MASK_LENGTH;
}

/** The length in two bytes; 0 as long as it is cut off. */
function longLength(bytes: Uint8Array, at: number, length: number): number {
  if (at + 4 > length) return 0;
  return ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
}

function unmask(bytes: Uint8Array, maskAt: number, start: number, end: number): void {
  const a = bytes[maskAt] as number;
  const b = bytes[maskAt + 1] as number;
  const c = bytes[maskAt + 2] as number;
  const d = bytes[maskAt + 3] as number;
  if ((a | b | c | d) === 0) return;
  let i = start;
  for (; i + 3 < end; i += 4) {
    bytes[i] = (bytes[i] as number) ^ a;
    bytes[i + 1] = (bytes[i + 1] as number) ^ b;
    bytes[i + 2] = (bytes[i + 2] as number) ^ c;
    bytes[i + 3] = (bytes[i + 3] as number) ^ d;
  }
  if (i < end) bytes[i] = (bytes[i] as number) ^ a;
  if (i + 1 < end) bytes[i + 1] = (bytes[i + 1] as number) ^ b;
  if (i + 2 < end) bytes[i + 2] = (bytes[i + 2] as number) ^ c;
}

/** `more` behind the first `length` bytes of `begin`, whose room doubles, so that many small parts cost little. */
function joined(begin: Uint8Array | undefined, length: number, more: Uint8Array): Uint8Array {
  const needed = length + more.length;
  let whole = begin;
  if (whole === undefined || whole.length < needed) {
    whole = new Uint8Array(Math.max(needed, 2 * length));
    if (begin !== undefined) whole.set(begin.subarray(0, length));
  }
  whole.set(more, length);
  return whole;
}

function violation(code: number, reason: string): FrameViolation {
  return { code, reason };
}
