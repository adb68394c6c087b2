/**
 * Outgoing connections: connect, send our handshake, read theirs, hand out the link. Plain first; a
 * peer that closes without a word may want encryption, and is tried once more with it.
 */
import { equalBytes } from "../../base/bytes.ts";
import type { Millis } from "../../base/units.ts";
import {
  addressKey,
  type LinkCloseReason,
  type PeerAddress,
  type PeerLink,
} from "../../ports/peer-transport.ts";
import { offerMse } from "../../protocol/encryption/offer-mse.ts";
import { encodeHandshake } from "../../protocol/wire/handshake.ts";
import type { Handshake } from "../../protocol/wire/message.ts";
import { mseCrypto } from "./mse-crypto.ts";
import { TcpLink } from "./tcp-link.ts";
import type { LinkContext } from "./tcp-link-sender.ts";
import { PeerSocket } from "./tcp-link-socket.ts";
import { readHandshake } from "./tcp-transport-handshake.ts";

/** What all dials of a transport share. */
export interface DialContext extends LinkContext {
  readonly connectTimeoutMs: Millis;
  readonly handshakeTimeoutMs: Millis;
  /** Addresses whose last link was encrypted, the oldest first. */
  readonly encryptedPeers: Set<string>;
}

/** Exactly one is called, later. */
export interface DialCallbacks {
  readonly onLink: (link: PeerLink) => void;
  readonly onFailure: (reason: LinkCloseReason) => void;
}

/** One connection, plain or encrypted. */
interface Attempt {
  readonly address: PeerAddress;
  readonly handshake: Handshake;
  readonly isEncrypted: boolean;
  readonly onLink: (link: PeerLink) => void;
  /** `isMute`: the other side took the connection and closed it without a word. */
  readonly onFailure: (reason: LinkCloseReason, isMute: boolean) => void;
}

const MAX_ENCRYPTED_PEERS = 1000;

/** Dials `address`, as `PeerTransport.connect`. */
export function dial(
  address: PeerAddress,
  handshake: Handshake,
  context: DialContext,
  { onLink, onFailure }: DialCallbacks,
): { cancel(): void } {
  const { encryptedPeers } = context;
  const key = addressKey(address);
  const dialEncrypted = () =>
    attempt(context, {
      address,
      handshake,
      isEncrypted: true,
      onFailure(reason) {
        encryptedPeers.delete(key);
        onFailure(reason);
      },
      onLink(link) {
        remember(encryptedPeers, key);
        onLink(link);
      },
    });
  const dialPlain = () =>
    attempt(context, {
      address,
      handshake,
      isEncrypted: false,
      onLink,
      onFailure(reason, isMute) {
        if (isMute) current = dialEncrypted();
        else onFailure(reason);
      },
    });
  let current = encryptedPeers.has(key) ? dialEncrypted() : dialPlain();
  return { cancel: () => current.cancel() };
}

function remember(encryptedPeers: Set<string>, key: string): void {
  encryptedPeers.delete(key);
  encryptedPeers.add(key);
  const [oldest] = encryptedPeers;
  if (oldest !== undefined && encryptedPeers.size > MAX_ENCRYPTED_PEERS) {
    encryptedPeers.delete(oldest);
  }
}

function attempt(context: DialContext, what: Attempt): { cancel(): void } {
  const { address, handshake, isEncrypted, onFailure, onLink } = what;
  const { clock, connectTimeoutMs, handshakeTimeoutMs: timeoutMs } = context;
  let isOver = false;
  let reading: { cancel(): void } | undefined;
  const end = (): void => {
    isOver = true;
    connectTimer.cancel();
    reading?.cancel();
    socket.destroy();
  };
  const fail = (reason: LinkCloseReason, isMute = false): void => {
    end();
    onFailure(reason, isMute);
  };
  const connectTimer = clock.setTimer(connectTimeoutMs, () =>
    fail({ code: "connect-failed", message: `no answer within ${connectTimeoutMs} ms` }),
  );
  const socket = PeerSocket.dial(address, () => {
    connectTimer.cancel();
    const initial = encodeHandshake(handshake);
    const offer = { infoHash: handshake.infoHash, initial };
    const offered = isEncrypted ? offerMse(mseCrypto, offer) : undefined;
    if (!isEncrypted) socket.write(initial);
    reading = readHandshake(
      socket,
      { clock, timeoutMs, offered },
      {
        onFailure: (reason, hasSpoken) =>
          fail(reason, reason.code === "remote-closed" && !hasSpoken),
        onHandshake(remote, received) {
          if (!equalBytes(remote.infoHash, handshake.infoHash)) {
            return fail({ code: "wrong-info-hash" });
          }
          isOver = true;
          const facts = {
            remote,
            remoteAddress: address,
            direction: "outgoing",
            received,
          } as const;
          onLink(new TcpLink(socket, facts, context));
        },
      },
    );
  });
  socket.use({ handleBytes: () => {}, handleEnd: fail });
  return {
    cancel: () => {
      if (!isOver) end();
    },
  };
}
