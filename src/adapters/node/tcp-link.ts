/**
 * A peer connection over TCP, after the handshakes: bytes of the socket become messages for the
 * handler, and messages become bytes. Receiving is here; sending is in tcp-link-sender.ts.
 *
 * A peer that does not read its answers is not read either, so neither side's memory fills up.
 */
import { assert } from "../../base/assert.ts";
import type {
  BlockReader,
  LinkCloseReason,
  PeerAddress,
  PeerLink,
  PeerLinkHandler,
} from "../../ports/peer-transport.ts";
import type { BlockRef } from "../../protocol/metainfo/piece-geometry.ts";
import { WireDecoder } from "../../protocol/wire/decoder.ts";
import { encodeMessage, encodeRequests } from "../../protocol/wire/encoder.ts";
import type { Handshake, PeerMessage } from "../../protocol/wire/message.ts";
import { copyIntoSharedMemory } from "./copy-bytes.ts";
import type { LoopNaps } from "./tcp-link-naps.ts";
import { LinkSender, type LinkContext } from "./tcp-link-sender.ts";
import type { PeerSocket } from "./tcp-link-socket.ts";

/** What is known of a connection once both handshakes are through. */
export interface LinkFacts {
  readonly remote: Handshake;
  readonly remoteAddress: PeerAddress;
  readonly direction: "incoming" | "outgoing";
  /** Bytes that arrived behind the handshake. */
  readonly received: Uint8Array;
}

/** The link over `socket`, which is paused until `start`. */
export class TcpLink implements PeerLink {
  readonly remote: Handshake;
  readonly remoteAddress: PeerAddress;
  readonly direction: "incoming" | "outgoing";
  readonly #socket: PeerSocket;
  readonly #sender: LinkSender;
  readonly #naps: LoopNaps | undefined;
  readonly #received: Uint8Array;
  #isStarted = false;
  #handler: PeerLinkHandler | undefined;
  #decoder: WireDecoder | undefined;
  #closeReason: LinkCloseReason | undefined;

  constructor(socket: PeerSocket, facts: LinkFacts, context: LinkContext) {
    this.remote = facts.remote;
    this.remoteAddress = facts.remoteAddress;
    this.direction = facts.direction;
    this.#received = facts.received;
    this.#socket = socket;
    socket.pause();
    socket.use({
      handleBytes: (bytes) => this.#handleBytes(bytes),
      handleEnd: (reason) => this.#end(reason),
    });
    this.#naps = context.naps;
    this.#sender = new LinkSender(socket, context, {
      handleBlocksSent: (payloadBytes) => this.#handler?.handleBlocksSent(payloadBytes),
      handleRelief: () => this.#decoder && socket.resume(),
      handleFailure: (reason) => this.#end(reason),
    });
  }

  start(handler: PeerLinkHandler): void {
    assert(!this.#isStarted, "a link is started once");
    this.#isStarted = true;
    process.nextTick(() => {
      if (this.#closeReason !== undefined) return handler.handleClose(this.#closeReason);
      this.#handler = handler;
      this.#decoder = new WireDecoder(handler, copyIntoSharedMemory);
      this.#socket.resume();
      if (this.#received.length > 0) this.#handleBytes(this.#received);
    });
  }

  send(message: PeerMessage): void {
    const bytes = encodeMessage(message);
    // A packet for each HAVE would wake the other side as often as the requests do.
    if (message.type !== "have") this.#send(bytes);
    else if (this.#closeReason === undefined) this.#sender.sendLater(bytes);
  }

  sendRequests(blocks: readonly BlockRef[]): void {
    this.#send(encodeRequests(blocks));
  }

  sendBlocks(blocks: readonly BlockRef[], offsets: readonly number[], read: BlockReader): void {
    if (this.#closeReason === undefined) this.#sender.sendBlocks(blocks, offsets, read);
  }

  close(why: string): void {
    this.#end({ code: "local", why });
  }

  #send(bytes: Uint8Array): void {
    if (this.#closeReason === undefined) this.#sender.send(bytes);
  }

  #handleBytes(bytes: Uint8Array): void {
    const violation = this.#decoder?.push(bytes);
    if (violation !== undefined) this.#end({ code: "violation", violation });
    if (this.#closeReason !== undefined) return;
    this.#handler?.handleReadEnd();
    if (this.#sender.isCongested) this.#socket.pause();
    else this.#naps?.handleRead(this, bytes.length);
  }

  #end(reason: LinkCloseReason): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    this.#decoder?.stop();
    this.#sender.close();
    this.#socket.destroy();
    process.nextTick(() => this.#handler?.handleClose(reason));
  }
}
