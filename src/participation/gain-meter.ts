/**
 * What a swarm made of what it was sent: the figures behind "distance from the fluid bound" and the
 * swarm's use of a byte. Counts begin with the first peer of a crowd and end with its last one.
 */
import type { Millis } from "../base/units.ts";
import type { CrowdFigures } from "../protocol/control/participation.ts";

/** Figures of a crowd, and the offers to it by the rule that made them. */
export interface CrowdView extends CrowdFigures {
  readonly offers: Readonly<Record<string, number>>;
}

const WINDOW_MS: Millis = 2000;
/** Two windows: the first one is about starting. */
const SETTLED_MS: Millis = 4000;
const LEAST_AGAIN = 4;
const AGAIN_PART = 0.01;
/** Bytes gained for each byte sent, from which peers count as helping. */
const LEAST_GAIN = 1.5;

export class GainMeter {
  #startedAt: Millis | undefined;
  /** Since when somebody gains something: some clients ask for nothing in their first ten seconds. */
  #movingSince: Millis | undefined;
  #gained = 0;
  #sent = 0;
  #windowAt: Millis | undefined;
  #windowGained = 0;
  #windowSent = 0;
  #exchangePeak = 0;
  #gainRate = 0;
  #sentRate = 0;
  #offers = new Map<string, number>();

  /** Bytes per second; 0 until it was measured. */
  get exchangePeak(): number {
    return this.#exchangePeak;
  }

  /** Bytes per second that all peers together gained lately; 0 until it was measured. */
  get gainRate(): number {
    return this.#gainRate;
  }

  /**
   * Whether peers give each other next to nothing: lately they gained hardly more than was sent.
   * Not said of a crowd that has only just begun to gain.
   */
  isOnItsOwn(now: Millis): boolean {
    if (this.#movingSince === undefined || now - this.#movingSince < SETTLED_MS) return false;
    return this.#gainRate < LEAST_GAIN * this.#sentRate;
  }

  /**
   * Whether a piece may be given again that is outside already: few of them end the wait for the
   * slowest holder, and more would be another copy. No more than a part of what the crowd gained.
   */
  mayGiveAgain(pieceLength: number): boolean {
    const given = (this.#offers.get("again") ?? 0) * pieceLength;
    return given < LEAST_AGAIN * pieceLength + AGAIN_PART * this.#gained;
  }

  /** How long `missingBytes` take at the rate of the last seconds; 0 when that is not known. */
  remainingMs(missingBytes: number): Millis {
    return this.#gainRate === 0 ? 0 : (missingBytes * 1000) / this.#gainRate;
  }

  /** So many peers are there now. */
  handlePeers(now: Millis, count: number): void {
    if (count === 0) this.#startedAt = undefined;
    else if (this.#startedAt === undefined) this.#start(now);
  }

  handleGained(bytes: number): void {
    this.#gained += bytes;
    this.#windowGained += bytes;
  }

  handleSent(bytes: number): void {
    this.#sent += bytes;
    this.#windowSent += bytes;
  }

  handleOffered(rule: string): void {
    this.#offers.set(rule, (this.#offers.get(rule) ?? 0) + 1);
  }

  handleTick(now: Millis): void {
    this.#windowAt ??= now;
    if (this.#movingSince === undefined) {
      if (this.#gained === 0) this.#windowAt = now;
      else this.#movingSince = this.#windowAt;
    }
    const elapsed = now - this.#windowAt;
    if (elapsed < WINDOW_MS) return;
    const exchanged = Math.max(0, this.#windowGained - this.#windowSent);
    this.#exchangePeak = Math.max(this.#exchangePeak, (exchanged * 1000) / elapsed);
    this.#gainRate = (this.#windowGained * 1000) / elapsed;
    this.#sentRate = (this.#windowSent * 1000) / elapsed;
    this.#windowAt = now;
    this.#windowGained = 0;
    this.#windowSent = 0;
  }

  /** Undefined while nobody is there. */
  figures(now: Millis): CrowdView | undefined {
    if (this.#startedAt === undefined) return undefined;
    return {
      elapsedMs: now - this.#startedAt,
      gainedBytes: this.#gained,
      sentBytes: this.#sent,
      exchangePeak: this.#exchangePeak,
      offers: Object.fromEntries(this.#offers),
    };
  }

  #start(now: Millis): void {
    this.#startedAt = now;
    this.#movingSince = undefined;
    this.#windowAt = now;
    this.#gained = 0;
    this.#sent = 0;
    this.#windowGained = 0;
    this.#windowSent = 0;
    this.#exchangePeak = 0;
    this.#gainRate = 0;
    this.#sentRate = 0;
    this.#offers = new Map();
  }
}
