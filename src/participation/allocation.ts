/**
 * One uplink for many swarms (Peterson and Sirer, "Antfarm", 2009). Each swarm says what it would do
 * next; one refrains while another has something more urgent, so that owed downloaders and floors
 * come first wherever they are, and then the swarm that makes the most of a byte.
 */
import type { Millis } from "../base/units.ts";
import type { Uplink } from "./uplink.ts";

/**
 * Which use of the uplink comes first, everywhere: lower is sooner. A piece that was never sent is
 * worth the most in the largest swarm, up to the rate that its peers can multiply (`capped`).
 */
export type Urgency = "owed" | "floor" | "new-capped" | "again" | "new";

const order: Readonly<Record<Urgency, number>> = {
  owed: 0,
  floor: 1,
  "new-capped": 2,
  again: 3,
  new: 4,
};

/** What a swarm wants to send next. */
interface Want {
  readonly urgency: Urgency;
  readonly downloaders: number;
  readonly at: Millis;
}

/** The uplink's worth of pieces that is on offer at once. */
const OFFER_MS: Millis = 250;
/**
 * So much more at the beginning: nobody is known yet to answer soon, and who takes what was given first
 * may be slow to ask for more, since its uplink fills.
 */
const START_MS: Millis = 500;
const MAX_EXTRA_OFFERS = 128;
/** In 100 ms: peers that answer after a second are served at full rate within two. */
const GROWTH = 1.3;
const SHRINK = 0.95;
/** So many ticks' worth of requests keep the uplink busy. */
const QUEUE_TICKS = 3;
/** Who sends less than this part of the uplink could send more to anybody who takes it. */
const SPARE_PART = 0.7;
/** A want that was not repeated is over; swarms look every 100 ms. */
const WANT_LASTS_MS: Millis = 300;
const TICK_MS: Millis = 100;

export class Allocation {
  readonly uplink: Uplink;
  readonly #wants = new Map<object, Want>();
  readonly #downloaders = new Map<object, number>();
  /** Bytes that peers asked each swarm for and that were not sent yet. */
  readonly #requested = new Map<object, number>();
  #downloaderCount = 0;
  #offeredBytes = 0;
  #extraOffers = 0;
  #startBytes: number;
  #sentBytes = 0;
  #wasFull = false;
  #hasSpare = false;
  #tickAt: Millis | undefined;

  constructor(uplink: Uplink) {
    this.uplink = uplink;
    this.#startBytes = (uplink.bytesPerSecond * START_MS) / 1000;
  }

  /** Bytes per second that each downloader of any swarm could have from the source. */
  get directShare(): number {
    return this.uplink.bytesPerSecond / Math.max(1, this.#downloaderCount);
  }

  /** The uplink is known, and much less was sent than it is good for. */
  get hasSpare(): boolean {
    return this.#hasSpare;
  }

  /** `swarm` has so many downloaders now. */
  setDownloaders(swarm: object, count: number): void {
    this.#downloaderCount += count - (this.#downloaders.get(swarm) ?? 0);
    if (count > 0) this.#downloaders.set(swarm, count);
    else {
      this.#downloaders.delete(swarm);
      this.#requested.delete(swarm);
      this.#wants.delete(swarm);
    }
  }

  /** So many bytes are asked of `swarm` and not sent yet. */
  setRequested(swarm: object, bytes: number): void {
    this.#requested.set(swarm, bytes);
  }

  /** Whether a piece of `pieceLength` may be offered now: no more than the uplink is good for. */
  hasRoom(pieceLength: number): boolean {
    const { bytesPerSecond } = this.uplink;
    const window = Math.max(2 * pieceLength, (bytesPerSecond * OFFER_MS) / 1000);
    const room = window + this.#startBytes + this.#extraOffers * pieceLength;
    const hasRoom = this.#offeredBytes + pieceLength <= room;
    if (!hasRoom) this.#wasFull = true;
    return hasRoom;
  }

  handleOffered(bytes: number): void {
    this.#offeredBytes += bytes;
  }

  /** So much of what was offered is sent, or void. */
  handleSettled(bytes: number): void {
    this.#offeredBytes -= bytes;
  }

  handleSent(bytes: number): void {
    this.#sentBytes += bytes;
    this.uplink.handleSent(bytes);
  }

  /** Whether `swarm` may go on with something of `urgency`; remembers that it wants to. */
  permits(now: Millis, swarm: object, urgency: Urgency): boolean {
    const downloaders = this.#downloaders.get(swarm) ?? 0;
    this.#wants.set(swarm, { urgency, downloaders, at: now });
    const rank = order[urgency];
    for (const [other, want] of this.#wants) {
      if (other === swarm || now - want.at > WANT_LASTS_MS) continue;
      if (order[want.urgency] < rank) return false;
      if (order[want.urgency] > rank || urgency === "owed") continue;
      if (want.downloaders > downloaders) return false;
    }
    return true;
  }

  /** `swarm` wants nothing at the moment. */
  rests(swarm: object): void {
    this.#wants.delete(swarm);
  }

  /** Every swarm calls it at its own ticks; looks at the uplink ten times a second. */
  handleTick(now: Millis): void {
    this.#tickAt ??= now;
    const elapsed = now - this.#tickAt;
    if (elapsed < TICK_MS) return;
    this.#tickAt = now;
    this.#startBytes *= SHRINK;
    const expected = (this.uplink.bytesPerSecond * elapsed) / 1000;
    let requested = 0;
    for (const bytes of this.#requested.values()) requested += bytes;
    // When peers are slow to ask, more must be on offer to keep the uplink busy; while requests
    // wait here it is busy anyway, and more offers would only spread it thinner.
    if (requested > QUEUE_TICKS * expected || this.#sentBytes >= 0.93 * expected) {
      this.#extraOffers = Math.max(0, this.#extraOffers * SHRINK - 0.1);
    } else if (this.#wasFull && this.#sentBytes < 0.9 * expected) {
      this.#extraOffers = Math.min(MAX_EXTRA_OFFERS, this.#extraOffers * GROWTH + 1);
    }
    this.uplink.handleTick(now, this.#wasFull);
    this.#hasSpare = this.uplink.isKnown && this.#sentBytes < SPARE_PART * expected;
    this.#sentBytes = 0;
    this.#wasFull = false;
  }
}
