/**
 * Authenticated messages over a WebSocket, after the greeting. A frame that was forged, replayed,
 * left out or put elsewhere in the order ends the link (T19). Liveness: a ping every 5 s, and an end
 * after 15 s of silence.
 *
 * A frame is one binary WebSocket message of at most 1 MiB:
 *
 * | offset | bytes | content |
 * |---|---|---|
 * | 0 | 32 | HMAC-SHA256, by the direction's key, of all that follows |
 * | 32 | 6 | number of the frame in its direction, from 0, big endian |
 * | 38 | 1 | 1 when the message goes on in the next frame, else 0 |
 * | 39 | … | UTF-8 text of the message, or of this part of it |
 */
import type { WebSocket } from "ws";
import { BtPublisherError } from "../../base/errors.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import { isSameMac, macOf } from "./control-auth.ts";

/** Of WebSocket messages, before and after the greeting. */
export const MAX_FRAME_LENGTH = 1024 * 1024;
/** Of messages put together from frames: reports of several hundred thousand swarms. */
const MAX_MESSAGE_LENGTH = 64 * 1024 * 1024;
const MAC_LENGTH = 32;
const SEQUENCE_LENGTH = 6;
const HEAD_LENGTH = MAC_LENGTH + SEQUENCE_LENGTH + 1;
const MAX_PART_LENGTH = MAX_FRAME_LENGTH - HEAD_LENGTH;

const PING_MS = 5000;
const DEAD_MS = 15_000;

/** Why a side ends a link, as WebSocket close codes. */
export const closeCodes = {
  normal: 1000,
  malformed: 4400,
  wrongKey: 4401,
  forged: 4403,
  version: 4406,
  timeout: 4408,
} as const;

/** What a channel needs beside its socket. */
export interface ControlChannelSetup {
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  readonly clock: Clock;
  readonly onMessage: (text: string) => void;
}

export class ControlChannel {
  readonly #socket: WebSocket;
  readonly #setup: ControlChannelSetup;
  #sentCount = 0;
  #receivedCount = 0;
  #parts: Buffer[] = [];
  #partsLength = 0;
  #heardAt: number;
  #pingTimer: Timer;

  /** Takes over an open socket. Ends with it; the socket's `close` event tells. */
  constructor(socket: WebSocket, setup: ControlChannelSetup) {
    this.#socket = socket;
    this.#setup = setup;
    this.#heardAt = setup.clock.now();
    this.#pingTimer = this.#schedulePing();
    const hear = () => {
      this.#heardAt = setup.clock.now();
    };
    socket.on("ping", hear);
    socket.on("pong", hear);
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      hear();
      // Frames that were under way when the link was ended are not looked at.
      if (socket.readyState === socket.OPEN) this.#receive(data, isBinary);
    });
    socket.on("close", () => this.#pingTimer.cancel());
  }

  /** Bytes that wait for the network. */
  get backlogLength(): number {
    return this.#socket.bufferedAmount;
  }

  /** @throws BtPublisherError INTERNAL when `text` is longer than a message may be. */
  send(text: string): void {
    const bytes = Buffer.from(text);
    if (bytes.length > MAX_MESSAGE_LENGTH) {
      const message = `a control message of ${bytes.length} bytes is longer than ${MAX_MESSAGE_LENGTH}`;
      throw new BtPublisherError("INTERNAL", message);
    }
    let offset = 0;
    do {
      const part = bytes.subarray(offset, offset + MAX_PART_LENGTH);
      offset += part.length;
      this.#sendFrame(part, offset < bytes.length);
    } while (offset < bytes.length);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  #sendFrame(part: Buffer, goesOn: boolean): void {
    const frame = Buffer.allocUnsafe(HEAD_LENGTH + part.length);
    frame.writeUIntBE(this.#sentCount++, MAC_LENGTH, SEQUENCE_LENGTH);
    frame[HEAD_LENGTH - 1] = goesOn ? 1 : 0;
    frame.set(part, HEAD_LENGTH);
    frame.set(macOf(this.#setup.sendKey, frame.subarray(MAC_LENGTH)), 0);
    this.#socket.send(frame);
  }

  #receive(frame: Buffer, isBinary: boolean): void {
    const isGenuine =
      isBinary &&
      frame.length >= HEAD_LENGTH &&
      isSameMac(
        frame.subarray(0, MAC_LENGTH),
        macOf(this.#setup.receiveKey, frame.subarray(MAC_LENGTH)),
      ) &&
      frame.readUIntBE(MAC_LENGTH, SEQUENCE_LENGTH) === this.#receivedCount;
    if (!isGenuine) {
      this.close(closeCodes.forged, "forged or replayed frame");
      return;
    }
    this.#receivedCount++;
    this.#parts.push(frame.subarray(HEAD_LENGTH));
    this.#partsLength += frame.length - HEAD_LENGTH;
    if (this.#partsLength > MAX_MESSAGE_LENGTH) {
      this.close(closeCodes.malformed, "message too long");
    } else if (frame[HEAD_LENGTH - 1] === 0) {
      const text = Buffer.concat(this.#parts).toString("utf8");
      this.#parts = [];
      this.#partsLength = 0;
      this.#setup.onMessage(text);
    }
  }

  #schedulePing(): Timer {
    const { clock } = this.#setup;
    return clock.setTimer(PING_MS, () => {
      if (clock.now() - this.#heardAt >= DEAD_MS) {
        // No closing handshake with somebody who does not answer.
        this.#socket.terminate();
        return;
      }
      this.#socket.ping();
      this.#pingTimer = this.#schedulePing();
    });
  }
}
