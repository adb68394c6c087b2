/**
 * What the source can send, bytes per second: its limit, else the most that it was seen to send
 * while more was wanted. Until that was seen it serves freely, by a guess that is never too small
 * for an ordinary server.
 */
import type { Millis } from "../base/units.ts";

/** 100 Mbit/s. */
const GUESS_BYTES_PER_SECOND = 12_500_000;
const SLOT_MS: Millis = 1000;
/** A mean over so many slots counts. */
const SLOTS = 5;

export class Uplink {
  readonly #limit: () => number | undefined;
  #slotAt: Millis | undefined;
  #slotBytes = 0;
  #slotHadBacklog = true;
  /** Rates of the last slots, as long as there was a backlog throughout. */
  #slots: number[] = [];
  #peak: number | undefined;

  /** `limit`: from --max-upload, bytes per second; undefined when there is none. */
  constructor(limit: () => number | undefined = () => undefined) {
    this.#limit = limit;
  }

  get bytesPerSecond(): number {
    return this.#limit() ?? this.#peak ?? GUESS_BYTES_PER_SECOND;
  }

  /** Whether it is known, and not guessed. */
  get isKnown(): boolean {
    return (this.#limit() ?? this.#peak) !== undefined;
  }

  handleSent(bytes: number): void {
    this.#slotBytes += bytes;
  }

  /** Called a few times a second. `hasBacklog`: peers wait for more than was sent. */
  handleTick(now: Millis, hasBacklog: boolean): void {
    this.#slotAt ??= now;
    this.#slotHadBacklog &&= hasBacklog;
    const elapsed = now - this.#slotAt;
    if (elapsed < SLOT_MS) return;
    if (this.#slotHadBacklog) this.#slots.push((this.#slotBytes * 1000) / elapsed);
    else this.#slots = [];
    this.#slotAt = now;
    this.#slotBytes = 0;
    this.#slotHadBacklog = true;
    if (this.#slots.length < SLOTS) return;
    const mean = this.#slots.reduce((sum, rate) => sum + rate, 0) / SLOTS;
    this.#peak = Math.max(this.#peak ?? 0, mean);
    this.#slots.shift();
  }
}
