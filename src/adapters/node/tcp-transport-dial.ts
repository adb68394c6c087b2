/** Outgoing connections: connect, send our handshake, read theirs, hand out the link. */
import { equalBytes } from "../../base/bytes.ts";
import type { Millis } from "../../base/units.ts";
import type { LinkCloseReason, PeerAddress, PeerLink } from "../../ports/peer-transport.ts";
import { encodeHandshake } from "../../protocol/wire/handshake.ts";
import type { Handshake } from "../../protocol/wire/message.ts";
import { type LinkContext, TcpLink } from "./tcp-link.ts";
import { PeerSocket } from "./tcp-link-socket.ts";
import { readHandshake } from "./tcp-transport-handshake.ts";

/** What all dials of a transport share. */
export interface DialContext extends LinkContext {
  readonly connectTimeoutMs: Millis;
  readonly handshakeTimeoutMs: Millis;
}

/** Exactly one is called, later. */
export interface DialCallbacks {
  readonly onLink: (link: PeerLink) => void;
  readonly onFailure: (reason: LinkCloseReason) => void;
}

/** Dials `address`, as `PeerTransport.connect`. */
export function dial(
  address: PeerAddress,
  handshake: Handshake,
  context: DialContext,
  callbacks: DialCallbacks,
): { cancel(): void } {
  const { clock, connectTimeoutMs, handshakeTimeoutMs } = context;
  let isOver = false;
  let reading: { cancel(): void } | undefined;
  const end = (): void => {
    isOver = true;
    connectTimer.cancel();
    reading?.cancel();
    socket.destroy();
  };
  const fail = (reason: LinkCloseReason): void => {
    end();
    callbacks.onFailure(reason);
  };
  const connectTimer = clock.setTimer(connectTimeoutMs, () =>
    fail({ code: "connect-failed", message: `no answer within ${connectTimeoutMs} ms` }),
  );
  const socket = PeerSocket.dial(address, () => {
    connectTimer.cancel();
    socket.write(encodeHandshake(handshake));
    const limits = { clock, timeoutMs: handshakeTimeoutMs };
    reading = readHandshake(socket, limits, {
      onFailure: fail,
      onHandshake(remote, received) {
        if (!equalBytes(remote.infoHash, handshake.infoHash)) {
          return fail({ code: "wrong-info-hash" });
        }
        isOver = true;
        const facts = { remote, remoteAddress: address, direction: "outgoing", received } as const;
        callbacks.onLink(new TcpLink(socket, facts, context));
      },
    });
  });
  socket.use({ handleBytes: () => {}, handleEnd: fail });
  return {
    cancel: () => {
      if (!isOver) end();
    },
  };
}
