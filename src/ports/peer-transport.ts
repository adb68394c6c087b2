/**
 * Connections between peers, carrying messages and not bytes: the TCP adapter encodes and
 * decodes, the in-memory world passes values along.
 */
import type { InfoHash } from "../base/units.ts";
import type { BlockRef } from "../protocol/metainfo/piece-geometry.ts";
import type { Handshake, PeerMessage, WireViolation } from "../protocol/wire/message.ts";

/** Where a peer listens. */
export interface PeerAddress {
  /** An IPv4 or IPv6 address without brackets; never a name, never an IPv4-mapped form. */
  readonly host: string;
  /** 1 … 65535. */
  readonly port: number;
}

/** Key of an address for maps and logs: `192.0.2.1:6881`, `[2001:db8::1]:6881`. */
export function addressKey(address: PeerAddress): string {
  return address.host.includes(":")
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}

/** Why a link ended. */
export type LinkCloseReason =
  /** The other side closed, or the network did. */
  | { readonly code: "remote-closed" }
  | { readonly code: "connect-failed"; readonly message: string }
  | { readonly code: "network-error"; readonly message: string }
  | { readonly code: "handshake-timeout" }
  /** Nobody here serves that info hash, or the handshake names another one than we dialled for. */
  | { readonly code: "wrong-info-hash" }
  | { readonly code: "violation"; readonly violation: WireViolation }
  /** What we asked to send was not taken for 60 s. */
  | { readonly code: "send-timeout" }
  /** We closed it; `why` is the engine's reason, for logs. */
  | { readonly code: "local"; readonly why: string };

/**
 * Reads content for `sendBlocks`: fills `views`, one after the other, with the bytes from content
 * offset `offset` on. Undefined: done already. Rejects when they cannot be read; the link then closes.
 */
export type BlockReader = (
  offset: number,
  views: readonly Uint8Array[],
) => Promise<void> | undefined;

/** What a link tells its owner. Never called synchronously from a method of the link. */
export interface PeerLinkHandler {
  handleMessage(message: PeerMessage): void;
  /** Requests in the order of arrival; a batch never spans two reads of the network. */
  handleRequests(blocks: readonly BlockRef[]): void;
  /**
   * A block begins to arrive. Returns where its payload goes, exactly `block.length` bytes, or
   * undefined to have it read and dropped.
   */
  blockTarget(block: BlockRef): Uint8Array | undefined;
  /** The payload of `block` is complete in its target; `wasKept` is false when it was dropped. */
  handleBlock(block: BlockRef, wasKept: boolean): void;
  /**
   * The oldest `sendBlocks` still open is over: all its blocks, `payloadBytes` in all, have left
   * for the network. Once for each call, in their order.
   */
  handleBlocksSent(payloadBytes: number): void;
  /** All that one read brought has been told: a good moment to act on it in one go. */
  handleReadEnd(): void;
  /** The last call. */
  handleClose(reason: LinkCloseReason): void;
}

/** One open connection, after both handshakes. */
export interface PeerLink {
  /** What the other side sent. */
  readonly remote: Handshake;
  readonly remoteAddress: PeerAddress;
  readonly direction: "incoming" | "outgoing";
  /** Starts the calls to `handler`; nothing is lost that arrived before. Call once. */
  start(handler: PeerLinkHandler): void;
  send(message: PeerMessage): void;
  sendRequests(blocks: readonly BlockRef[]): void;
  /**
   * Sends `blocks` in order, read by `read` (offsets are `pieceOffset(block) + begin`, given by
   * `offsets[i]`). Adjacent blocks are read in one go. At most two calls may be open at once.
   */
  sendBlocks(blocks: readonly BlockRef[], offsets: readonly number[], read: BlockReader): void;
  /** Ends the link; `handleClose` follows with `{ code: "local", why }`. May be called twice. */
  close(why: string): void;
}

/** What to answer an incoming handshake with. */
export type IncomingDecision =
  | {
      readonly accept: true;
      readonly handshake: Handshake;
      readonly onLink: (link: PeerLink) => void;
    }
  /** The connection is closed without a handshake of ours, so that a stranger learns nothing. */
  | { readonly accept: false };

/** Where to listen, and what for. */
export interface ListenOptions {
  /** Undefined: on all interfaces. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
  /**
   * The torrents that `host` may connect to now. An encrypted handshake (MSE) can only be read by
   * whoever knows its torrent; undefined: plain ones alone are accepted.
   */
  readonly infoHashes?: (host: string) => Iterable<InfoHash>;
}

/** A running listener. */
export interface PeerListener {
  /** The port really bound (useful when port 0 was asked for). */
  readonly port: number;
  close(): Promise<void>;
}

export interface PeerTransport {
  /** @throws BtPublisherError UNAVAILABLE when the port is taken; the message names the address. */
  listen(
    options: ListenOptions,
    onHandshake: (remote: Handshake, address: PeerAddress) => IncomingDecision,
  ): Promise<PeerListener>;
  /**
   * Dials `address` and exchanges handshakes, within the adapter's time limits.
   * Exactly one of the callbacks is called, later, unless cancelled.
   */
  connect(
    address: PeerAddress,
    handshake: Handshake,
    callbacks: {
      readonly onLink: (link: PeerLink) => void;
      readonly onFailure: (reason: LinkCloseReason) => void;
    },
  ): { cancel(): void };
}
