/**
 * Before a link of a closed torrent becomes a peer: holds it until its extension handshake came with
 * a ticket that is good, and tells it nothing until then. What it said is passed on afterwards.
 */
import { assert } from "../base/assert.ts";
import type { Millis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type {
  BlockReader,
  LinkCloseReason,
  PeerAddress,
  PeerLink,
  PeerLinkHandler,
} from "../ports/peer-transport.ts";
import type { BlockRef } from "../protocol/metainfo/piece-geometry.ts";
import { parseExtensionHandshake } from "../protocol/wire/extension.ts";
import type { Handshake, PeerMessage } from "../protocol/wire/message.ts";

/** Whether a peer that shows `ticket` may have the torrent. */
export type TicketCheck = (
  peer: { readonly peerId: Uint8Array; readonly host: string },
  ticket: Uint8Array | undefined,
) => boolean;

/** For the extension handshake; as for the handshake before it. */
const LIMIT_MS: Millis = 10_000;
/** Our peers say what they have, and then greet. */
const MAX_EARLY_MESSAGES = 4;

/** Waits for the ticket of `link`; `onAdmitted` gets a link to go on with. Else it is closed. */
export function awaitTicket(
  link: PeerLink,
  { check, clock }: { readonly check: TicketCheck; readonly clock: Clock },
  onAdmitted: (link: PeerLink) => void,
): void {
  link.start(new TicketGate(link, check, clock, onAdmitted));
}

class TicketGate implements PeerLinkHandler, PeerLink {
  readonly remote: Handshake;
  readonly remoteAddress: PeerAddress;
  readonly direction: "incoming" | "outgoing";
  readonly #link: PeerLink;
  readonly #check: TicketCheck;
  readonly #onAdmitted: (link: PeerLink) => void;
  readonly #early: PeerMessage[] = [];
  readonly #timer: Timer;
  /** Since it was admitted. */
  #handler: PeerLinkHandler | undefined;

  constructor(
    link: PeerLink,
    check: TicketCheck,
    clock: Clock,
    onAdmitted: (link: PeerLink) => void,
  ) {
    this.remote = link.remote;
    this.remoteAddress = link.remoteAddress;
    this.direction = link.direction;
    this.#link = link;
    this.#check = check;
    this.#onAdmitted = onAdmitted;
    this.#timer = clock.setTimer(LIMIT_MS, () => link.close("no-ticket"));
  }

  start(handler: PeerLinkHandler): void {
    this.#handler = handler;
    // Nothing is ever told from within a call of the link.
    void Promise.resolve().then(() => {
      for (const message of this.#early.splice(0)) handler.handleMessage(message);
      handler.handleReadEnd();
    });
  }

  send(message: PeerMessage): void {
    this.#link.send(message);
  }

  sendRequests(blocks: readonly BlockRef[]): void {
    this.#link.sendRequests(blocks);
  }

  sendBlocks(blocks: readonly BlockRef[], offsets: readonly number[], read: BlockReader): void {
    this.#link.sendBlocks(blocks, offsets, read);
  }

  close(why: string): void {
    this.#link.close(why);
  }

  handleMessage(message: PeerMessage): void {
    if (this.#handler !== undefined && this.#early.length === 0) {
      this.#handler.handleMessage(message);
      return;
    }
    this.#early.push(message);
    if (this.#handler !== undefined) return;
    if (message.type === "extended" && message.id === 0) this.#decide(message.payload);
    else if (this.#early.length > MAX_EARLY_MESSAGES) this.#refuse();
  }

  handleRequests(blocks: readonly BlockRef[]): void {
    if (this.#handler === undefined) this.#refuse();
    else this.#handler.handleRequests(blocks);
  }

  blockTarget(block: BlockRef): Uint8Array | undefined {
    return this.#handler?.blockTarget(block);
  }

  handleBlock(block: BlockRef, wasKept: boolean): void {
    this.#handler?.handleBlock(block, wasKept);
  }

  handleBlocksSent(payloadBytes: number): void {
    assert(this.#handler !== undefined, "blocks were sent before anybody was let in");
    this.#handler.handleBlocksSent(payloadBytes);
  }

  handleReadEnd(): void {
    this.#handler?.handleReadEnd();
  }

  handleClose(reason: LinkCloseReason): void {
    this.#timer.cancel();
    this.#handler?.handleClose(reason);
  }

  #decide(payload: Uint8Array): void {
    const ticket = parseExtensionHandshake(payload)?.ticket;
    const { peerId } = this.remote;
    if (!this.#check({ peerId, host: this.remoteAddress.host }, ticket)) return this.#refuse();
    this.#timer.cancel();
    this.#onAdmitted(this);
  }

  #refuse(): void {
    this.#link.close("no-ticket");
  }
}
