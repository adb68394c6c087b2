/** Reading the other side's handshake from a fresh socket, plain or encrypted, within a time limit. */
import { concatBytes, equalBytes } from "../../base/bytes.ts";
import type { Millis } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LinkCloseReason } from "../../ports/peer-transport.ts";
import type { MseHandshake } from "../../protocol/encryption/mse-handshake.ts";
import {
  HANDSHAKE_LENGTH,
  isHandshakeBeginning,
  parseHandshake,
} from "../../protocol/wire/handshake.ts";
import type { Handshake } from "../../protocol/wire/message.ts";
import type { PeerSocket } from "./tcp-link-socket.ts";

/** How it ended: with a handshake and what arrived behind it, or without. */
export interface HandshakeCallbacks {
  /** The socket is open; its user must be replaced during the call. */
  onHandshake(remote: Handshake, received: Uint8Array): void;
  /** The socket has ended. `hasSpoken`: anything arrived. */
  onFailure(reason: LinkCloseReason, hasSpoken: boolean): void;
}

/** Limits and ways of one handshake. */
export interface HandshakeOptions {
  readonly clock: Clock;
  /** For all of it, encryption included. */
  readonly timeoutMs: Millis;
  /** Begins with encryption. */
  readonly offered?: MseHandshake | undefined;
  /** Called when what arrives is not plain; what it returns goes on. Default: that is an error. */
  readonly acceptEncrypted?: () => MseHandshake | undefined;
}

/**
 * Reads a handshake from `socket`. Calls one of the callbacks, once, later; `cancel` ends the
 * socket without a call.
 */
export function readHandshake(
  socket: PeerSocket,
  options: HandshakeOptions,
  callbacks: HandshakeCallbacks,
): { cancel(): void } {
  const reader = new HandshakeReader(socket, options, callbacks);
  return { cancel: () => reader.end() };
}

class HandshakeReader {
  readonly #socket: PeerSocket;
  readonly #options: HandshakeOptions;
  readonly #callbacks: HandshakeCallbacks;
  readonly #timer: { cancel(): void };
  readonly #buffer = new Uint8Array(HANDSHAKE_LENGTH);
  #filled = 0;
  #hasSpoken = false;
  /** The encryption that is being agreed on. */
  #mse: MseHandshake | undefined;
  /** The torrent of the encryption that was agreed on. */
  #agreedInfoHash: Uint8Array | undefined;

  constructor(socket: PeerSocket, options: HandshakeOptions, callbacks: HandshakeCallbacks) {
    this.#socket = socket;
    this.#options = options;
    this.#callbacks = callbacks;
    const { clock, timeoutMs, offered } = options;
    this.#timer = clock.setTimer(timeoutMs, () => this.#fail({ code: "handshake-timeout" }));
    socket.use({
      handleBytes: (bytes) => {
        this.#hasSpoken = true;
        if (this.#mse === undefined) this.#readPlain(bytes);
        else this.#agree(this.#mse, bytes);
      },
      handleEnd: (reason) => this.#fail(reason),
    });
    if (offered !== undefined) this.#agree(offered, new Uint8Array(0));
  }

  /** Ends it without a call. */
  end(): void {
    this.#timer.cancel();
    this.#socket.destroy();
  }

  #readPlain(bytes: Uint8Array): void {
    const taken = Math.min(HANDSHAKE_LENGTH - this.#filled, bytes.length);
    this.#buffer.set(bytes.subarray(0, taken), this.#filled);
    this.#filled += taken;
    const read = this.#buffer.subarray(0, this.#filled);
    if (!isHandshakeBeginning(read)) {
      return this.#handleForeign(concatBytes([read, bytes.subarray(taken)]));
    }
    const remote = parseHandshake(read);
    if (remote === undefined) return;
    const agreed = this.#agreedInfoHash;
    if (agreed !== undefined && !equalBytes(agreed, remote.infoHash)) {
      return this.#fail({ code: "wrong-info-hash" });
    }
    this.#timer.cancel();
    this.#callbacks.onHandshake(remote, bytes.slice(taken));
  }

  /** All that arrived so far is no BitTorrent handshake: it may be the key of an encrypted one. */
  #handleForeign(bytes: Uint8Array): void {
    const isFirst = this.#agreedInfoHash === undefined;
    const mse = isFirst ? this.#options.acceptEncrypted?.() : undefined;
    if (mse === undefined) return this.#failForeign();
    this.#agree(mse, bytes);
  }

  #agree(mse: MseHandshake, bytes: Uint8Array): void {
    this.#mse = mse;
    const progress = mse.push(bytes);
    if (progress.state === "failed") return this.#failForeign();
    if (progress.reply.length > 0) this.#socket.write(progress.reply);
    if (progress.state === "waiting") return;
    const { infoHash, ciphers, received } = progress.agreement;
    this.#mse = undefined;
    this.#filled = 0;
    this.#agreedInfoHash = infoHash;
    if (ciphers !== undefined) this.#socket.encrypt(ciphers);
    this.#readPlain(received);
  }

  #failForeign(): void {
    this.#fail({ code: "violation", violation: { code: "bad-protocol" } });
  }

  #fail(reason: LinkCloseReason): void {
    this.end();
    this.#callbacks.onFailure(reason, this.#hasSpoken);
  }
}
