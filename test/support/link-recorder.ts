/** A peer link handler that writes down what it is told, for tests of transports. */
import type { LinkCloseReason, PeerLink, PeerLinkHandler } from "../../src/ports/peer-transport.ts";
import type { BlockRef } from "../../src/protocol/metainfo/piece-geometry.ts";
import type { PeerMessage } from "../../src/protocol/wire/message.ts";

/** What a link told, in order. */
export type Heard =
  | PeerMessage
  | { readonly requests: readonly BlockRef[] }
  | { readonly block: BlockRef };

/** Starts a link and records what it tells. */
export class LinkRecorder implements PeerLinkHandler {
  readonly link: PeerLink;
  readonly heard: Heard[] = [];
  /** Payloads of all blocks. */
  readonly payloads: Uint8Array[] = [];
  readonly sent: number[] = [];
  readonly closed: Promise<LinkCloseReason>;
  readEnds = 0;
  closeCount = 0;
  onMessage: (message: PeerMessage) => void = () => {};
  readonly #targets: Uint8Array[] = [];
  #resolveClosed = (_reason: LinkCloseReason): void => {};
  #wake = (): void => {};

  constructor(link: PeerLink) {
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.link = link;
    link.start(this);
  }

  untilHeard(count: number): Promise<void> {
    return this.#until(() => this.heard.length >= count);
  }

  untilSent(count: number): Promise<void> {
    return this.#until(() => this.sent.length >= count);
  }

  untilTargets(count: number): Promise<void> {
    return this.#until(() => this.#targets.length >= count);
  }

  handleMessage(message: PeerMessage): void {
    this.heard.push(message);
    this.onMessage(message);
    this.#wake();
  }

  handleRequests(requests: readonly BlockRef[]): void {
    this.heard.push({ requests });
    this.#wake();
  }

  blockTarget(block: BlockRef): Uint8Array {
    const target = new Uint8Array(block.length);
    this.#targets.push(target);
    this.#wake();
    return target;
  }

  handleBlock(block: BlockRef): void {
    this.heard.push({ block });
    this.payloads.push(this.#targets.at(-1) as Uint8Array);
    this.#wake();
  }

  handleBlocksSent(payloadBytes: number): void {
    this.sent.push(payloadBytes);
    this.#wake();
  }

  handleReadEnd(): void {
    this.readEnds++;
  }

  handleClose(reason: LinkCloseReason): void {
    this.closeCount++;
    this.#resolveClosed(reason);
    this.#wake();
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}
