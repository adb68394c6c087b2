/** Reading the other side's handshake from a fresh socket, within a time limit. */
import type { Millis } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LinkCloseReason } from "../../ports/peer-transport.ts";
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
  /** The socket has ended. */
  onFailure(reason: LinkCloseReason): void;
}

/**
 * Reads a handshake from `socket`. Calls one of the callbacks, once, later; `cancel` ends the
 * socket without a call.
 */
export function readHandshake(
  socket: PeerSocket,
  limits: { readonly clock: Clock; readonly timeoutMs: Millis },
  callbacks: HandshakeCallbacks,
): { cancel(): void } {
  const buffer = new Uint8Array(HANDSHAKE_LENGTH);
  let filled = 0;
  const fail = (reason: LinkCloseReason): void => {
    timer.cancel();
    socket.destroy();
    callbacks.onFailure(reason);
  };
  const timer = limits.clock.setTimer(limits.timeoutMs, () => fail({ code: "handshake-timeout" }));

  socket.use({
    handleBytes(bytes) {
      const taken = Math.min(HANDSHAKE_LENGTH - filled, bytes.length);
      buffer.set(bytes.subarray(0, taken), filled);
      filled += taken;
      if (!isHandshakeBeginning(buffer.subarray(0, filled))) {
        return fail({ code: "violation", violation: { code: "bad-protocol" } });
      }
      const remote = parseHandshake(buffer.subarray(0, filled));
      if (remote === undefined) return;
      timer.cancel();
      callbacks.onHandshake(remote, bytes.slice(taken));
    },
    handleEnd: fail,
  });

  return {
    cancel: () => {
      timer.cancel();
      socket.destroy();
    },
  };
}
