/**
 * One WebSocket of a tracker, on its bare socket: there are tens of thousands, and each says little, so
 * an announce must cost little beyond reading and writing. Who does not read what it is sent is cut.
 */
import { isUtf8 } from "node:buffer";
import type { Duplex } from "node:stream";
import {
  closeCodes,
  closeFrame,
  controlFrame,
  frameHead,
  opcodes,
} from "../../protocol/websocket/frame.ts";
import { latin1 } from "../../base/bytes.ts";
import { flushAtEndOfTurn, type Flushable } from "./end-of-turn.ts";
import { FrameReader, type FrameSink } from "../../protocol/websocket/frame-reader.ts";

/** A connection, as its door has it. */
export interface WebTrackerLink {
  send(text: string): void;
  close(code: number, reason: string): void;
}

/** What a door makes of a connection. */
export interface WebTrackerSession {
  handle(text: string): void;
  closed(): void;
}

const LIMITS = { maxMessage: 65_535, maxFragments: 64 };
/** What a slow reader may leave unread: some dozen offers. */
const MAX_UNREAD = 256 * 1024;
/** So much is written without waiting for more: Node needs no memory for as much. */
const MAX_WAITING = 16 * 1024;
const PING = latin1(controlFrame(opcodes.ping, new Uint8Array(0)));
const REPLACEMENT = "\ufffd";

export class WebTrackerConnection implements WebTrackerLink, FrameSink, Flushable {
  readonly #socket: Duplex;
  readonly #reader = new FrameReader(LIMITS, this);
  readonly #session: WebTrackerSession;
  /** It gave a sign of life since it was asked for one. */
  #isAlive = true;
  /** A close frame was sent; what comes now is not read any more. */
  #isClosing = false;
  /** Frames that go out at the end of the turn, a character for each byte: a peer gets many offers and answers at once. */
  #waiting = "";

  constructor(socket: Duplex, open: (link: WebTrackerLink) => WebTrackerSession) {
    this.#socket = socket;
    this.#session = open(this);
    socket.on("data", (bytes: Buffer) => this.read(bytes));
    socket.on("end", () => socket.end());
  }

  /** Reads what came, and changes it. */
  read(bytes: Buffer): void {
    if (this.#isClosing) return;
    this.#isAlive = true;
    const wrong = this.#reader.read(bytes);
    if (wrong !== undefined) this.close(wrong.code, wrong.reason);
  }

  /** Asks for a sign of life; cuts who gave none since the last time, and who does not end. */
  beat(): void {
    if (!this.#isAlive || this.#isClosing) return void this.#socket.destroy();
    this.#isAlive = false;
    this.#write(PING);
  }

  /** Cuts it. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** It is gone. */
  closed(): void {
    this.#session.closed();
  }

  send(text: string): void {
    // Most messages are ASCII; the system takes them as they are, without a copy in between.
    const payload = /[^\0-\x7f]/.test(text) ? Buffer.from(text).toString("latin1") : text;
    this.#write(String.fromCharCode(...frameHead(opcodes.text, payload.length)) + payload);
  }

  /** Writes what waits. */
  flush(): void {
    const frames = this.#waiting;
    this.#waiting = "";
    if (frames !== "" && this.#socket.writable) this.#socket.write(frames, "latin1");
  }

  close(code: number, reason: string): void {
    this.#end(closeFrame(code, reason));
  }

  onText(bytes: Uint8Array, start: number, end: number): void {
    if (this.#isClosing) return;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const text = buffer.toString("utf8", start, end);
    // What is wrong becomes replacement characters, which may also stand there as such.
    if (text.includes(REPLACEMENT) && !isUtf8(buffer.subarray(start, end))) {
      this.close(closeCodes.invalidPayload, "messages are UTF-8");
    } else this.#session.handle(text);
  }

  onPing(payload: Uint8Array): void {
    this.#write(latin1(controlFrame(opcodes.pong, payload)));
  }

  onPong(): void {
    // That something came is enough.
  }

  onClose(code: number): void {
    const isNamed = code !== closeCodes.noStatus;
    this.#end(isNamed ? closeFrame(code, "") : controlFrame(opcodes.close, new Uint8Array(0)));
    this.#session.closed();
  }

  #end(frame: Uint8Array): void {
    if (this.#isClosing) return;
    this.#write(latin1(frame));
    this.flush();
    this.#isClosing = true;
    this.#socket.end();
  }

  #write(frame: string): void {
    const socket = this.#socket;
    if (this.#isClosing || !socket.writable) return;
    if (socket.writableLength > MAX_UNREAD) return void socket.destroy();
    if (this.#waiting === "") flushAtEndOfTurn(this);
    this.#waiting += frame;
    if (this.#waiting.length > MAX_WAITING) this.flush();
  }
}
