/**
 * Before a link of a torrent that wants tickets becomes a peer: shows our ticket, and holds the link
 * until its extension handshake came with a ticket that is good, telling it nothing else until then.
 * What it said is passed on afterwards. A ticket ends; a link goes on while a newer one is shown.
 */
import { assert } from "../base/assert.ts";
import { equalBytes } from "../base/bytes.ts";
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
import {
  encodeExtensionHandshake,
  type ExtensionHandshake,
  parseExtensionHandshake,
} from "../protocol/wire/extension.ts";
import type { Handshake, PeerMessage } from "../protocol/wire/message.ts";

/** A peer that shows a ticket, as its connection has it. */
export interface TicketBearer {
  readonly peerId: Uint8Array;
  /** IP address. */
  readonly host: string;
}

/** How our side of a torrent shows who it is, and judges who others are. */
export interface TicketGuard {
  /** What to show everybody; undefined: nothing. It changes when it is renewed. */
  readonly pass: TicketPass | undefined;
  /** For how long `bearer` may take part with `ticket`, in milliseconds; undefined: not at all. */
  check(bearer: TicketBearer, ticket: Uint8Array | undefined): Millis | undefined;
  /** A SourceNode's: what it answers to a good ticket. */
  prove?(ticket: Uint8Array): Uint8Array | undefined;
}

/** A ticket of ours. */
export interface TicketPass {
  readonly ticket: Uint8Array;
  /** By this its holder knows a SourceNode. */
  readonly sourceProof: Uint8Array;
}

/** What becomes of a link. Exactly one is called. */
export interface TicketOutcome {
  readonly onAdmitted: (link: PeerLink) => void;
  readonly onRefused: (reason: LinkCloseReason) => void;
}

/** For the extension handshake; as for the handshake before it. */
const LIMIT_MS: Millis = 10_000;
/** Other programs may say what they have, and then greet. */
const MAX_EARLY_MESSAGES = 4;
/** How often we look whether there is a newer ticket to show. */
const RENEWAL_LOOK_MS: Millis = 60_000;

/** Waits for the ticket of `link`, and gives a link to go on with. */
export function awaitTicket(
  link: PeerLink,
  ports: { readonly guard: TicketGuard; readonly clock: Clock },
  outcome: TicketOutcome,
): void {
  new TicketGate(link, ports, outcome).open();
}

class TicketGate implements PeerLinkHandler, PeerLink {
  readonly remote: Handshake;
  readonly remoteAddress: PeerAddress;
  readonly direction: "incoming" | "outgoing";
  readonly #link: PeerLink;
  readonly #guard: TicketGuard;
  readonly #clock: Clock;
  readonly #outcome: TicketOutcome;
  readonly #early: PeerMessage[] = [];
  /** Until the link must have shown a ticket that is still good. */
  #limit: Timer;
  #renewal: Timer | undefined;
  /** What it was shown last. */
  #pass: TicketPass | undefined;
  #isAdmitted = false;
  /** Since it was admitted. */
  #handler: PeerLinkHandler | undefined;

  constructor(
    link: PeerLink,
    { guard, clock }: { readonly guard: TicketGuard; readonly clock: Clock },
    outcome: TicketOutcome,
  ) {
    this.remote = link.remote;
    this.remoteAddress = link.remoteAddress;
    this.direction = link.direction;
    this.#link = link;
    this.#guard = guard;
    this.#clock = clock;
    this.#outcome = outcome;
    this.#limit = clock.setTimer(LIMIT_MS, () => this.#refuse());
  }

  open(): void {
    this.#link.start(this);
    if (this.remote.supportsExtended) this.#show();
    else this.#refuse();
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
    const isGreeting = message.type === "extended" && message.id === 0;
    if (isGreeting) this.#judge(message.payload);
    if (this.#handler !== undefined && this.#early.length === 0) {
      this.#handler.handleMessage(message);
      return;
    }
    this.#early.push(message);
    if (!this.#isAdmitted && this.#early.length > MAX_EARLY_MESSAGES) this.#refuse();
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
    this.#limit.cancel();
    this.#renewal?.cancel();
    if (this.#isAdmitted) this.#handler?.handleClose(reason);
    else this.#outcome.onRefused(reason);
  }

  /** Shows our ticket, and later those that take its place. */
  #show(): void {
    const { pass } = this.#guard;
    if (pass === undefined) return;
    if (pass.ticket !== this.#pass?.ticket) {
      this.#pass = pass;
      this.#greet({ ticket: pass.ticket });
    }
    this.#renewal = this.#clock.setTimer(RENEWAL_LOOK_MS, () => this.#show());
  }

  #greet(shown: Pick<ExtensionHandshake, "ticket" | "sourceProof">): void {
    const payload = encodeExtensionHandshake({
      extensions: new Map(),
      clientName: undefined,
      listenPort: undefined,
      maxRequests: undefined,
      metadataSize: undefined,
      ...shown,
    });
    this.#link.send({ type: "extended", id: 0, payload });
  }

  /** A peer that was let in may greet again without a ticket; its time goes on then. */
  #judge(payload: Uint8Array): void {
    const { ticket, sourceProof } = parseExtensionHandshake(payload) ?? {};
    if (this.#isAdmitted && ticket === undefined) return;
    if (sourceProof !== undefined && this.#pass !== undefined) {
      if (!equalBytes(sourceProof, this.#pass.sourceProof)) return this.#refuse();
      this.#limit.cancel();
      return this.#admit();
    }
    const { peerId } = this.remote;
    const leftMs = this.#guard.check({ peerId, host: this.remoteAddress.host }, ticket);
    if (leftMs === undefined || ticket === undefined) return this.#refuse();
    this.#limit.cancel();
    this.#limit = this.#clock.setTimer(leftMs, () => this.#refuse());
    if (this.#isAdmitted) return;
    const proof = this.#guard.prove?.(ticket);
    if (proof !== undefined) this.#greet({ sourceProof: proof });
    this.#admit();
  }

  #admit(): void {
    if (this.#isAdmitted) return;
    this.#isAdmitted = true;
    this.#outcome.onAdmitted(this);
  }

  #refuse(): void {
    this.#link.close("no-ticket");
  }
}
