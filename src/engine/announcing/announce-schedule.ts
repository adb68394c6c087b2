/**
 * When to announce what to which tracker (BEP 3, tiers as in BEP 12). Trackers are tried in order
 * until one answers; the one that did goes to the front of its tier. When none answers, the whole
 * list is tried again later and later, with jitter, so that a tracker that comes back is not run over.
 */
import { type Random, shuffle } from "../../base/random.ts";
import type { Millis } from "../../base/units.ts";
import type { AnnounceEvent } from "../../protocol/tracker/announce.ts";

/** An announce to make now; answered by `handleAnswer` or `handleFailure`. */
export interface AnnounceOutput {
  readonly url: string;
  /** undefined for a regular announce. */
  readonly event: AnnounceEvent | undefined;
}

const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 30 * 60_000;
/** Whom nobody can help asks this often, unless the tracker names its minimum interval. */
const LONELY_INTERVAL_MS = 60_000;
/** And never more often than this, whatever the tracker names. */
const LEAST_LONELY_INTERVAL_MS = 15_000;

export class AnnounceSchedule {
  readonly #tiers: string[][];
  readonly #random: Random;
  #outputs: AnnounceOutput[] = [];
  /** The event that has not reached a tracker yet. */
  #pending: AnnounceEvent | undefined = "started";
  /** The event of the announce under way. */
  #announced: AnnounceEvent | undefined;
  /** Position in the order of all trackers of the announce under way. */
  #attempt: number | undefined;
  #nextAt: Millis | undefined;
  #lonelyAt: Millis | undefined;
  #failures = 0;
  /** The tracker that answered last: it knows us. */
  #answered: string | undefined;
  #isStopped = false;

  /** `tiers` of announce URLs, at least one URL for any announce to happen. */
  constructor(tiers: readonly (readonly string[])[], random: Random) {
    this.#random = random;
    this.#tiers = tiers.map((tier) => shuffle([...tier], random));
  }

  start(): void {
    this.#begin();
  }

  /** The download is complete: trackers count it (BEP 3). */
  complete(): void {
    if (this.#isStopped) return;
    // With no tracker that knows us yet, `started` with nothing left says it all.
    const isKnown = this.#answered !== undefined || this.#attempt !== undefined;
    this.#pending = isKnown ? "completed" : "started";
    this.#begin();
  }

  /** Says goodbye, once, to the tracker that knows us. No further outputs come. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#nextAt = undefined;
    const url = this.#answered;
    if (url !== undefined) this.#outputs.push({ url, event: "stopped" });
  }

  /** A tracker answered; intervals in milliseconds, already clamped to sane values. */
  handleAnswer(
    now: Millis,
    url: string,
    answer: { readonly intervalMs: Millis; readonly minIntervalMs: Millis | undefined },
  ): void {
    if (this.#isStopped) return;
    this.#answered = url;
    this.#attempt = undefined;
    this.#failures = 0;
    this.#moveToFront(url);
    const event = this.#announced;
    if (this.#pending === event) this.#pending = undefined;
    // Jitter spreads the peers of a swarm that started together.
    this.#nextAt = now + answer.intervalMs * (0.9 + 0.1 * this.#random.fraction());
    const minIntervalMs = answer.minIntervalMs ?? LONELY_INTERVAL_MS;
    this.#lonelyAt = now + Math.max(LEAST_LONELY_INTERVAL_MS, minIntervalMs);
    if (this.#pending !== undefined) this.#begin();
  }

  handleFailure(now: Millis): void {
    if (this.#isStopped || this.#attempt === undefined) return;
    if (this.#answered === undefined) this.#pending = "started";
    this.#attempt++;
    if (this.#attempt < this.#urls().length) {
      this.#announce();
      return;
    }
    this.#attempt = undefined;
    const delay = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 16));
    this.#failures++;
    this.#nextAt = now + delay * (0.75 + this.#random.fraction() / 2);
  }

  /** `isLonely`: incomplete, and nobody connected has what we lack. */
  handleTimeout(now: Millis, isLonely: boolean): void {
    if (this.#nextAt !== undefined && now >= this.#nextAt) this.#begin();
    else if (isLonely && this.#lonelyAt !== undefined && now >= this.#lonelyAt) this.#begin();
  }

  nextTimeout(isLonely: boolean): Millis | undefined {
    if (this.#isStopped || this.#nextAt === undefined) return undefined;
    if (!isLonely || this.#lonelyAt === undefined) return this.#nextAt;
    return Math.min(this.#nextAt, this.#lonelyAt);
  }

  /** Whether an announce is under way that says, or is followed by one that says, `completed`. */
  get isTellingCompletion(): boolean {
    return this.#attempt !== undefined && this.#pending === "completed";
  }

  takeOutputs(): readonly AnnounceOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  #begin(): void {
    this.#nextAt = undefined;
    this.#lonelyAt = undefined;
    if (this.#attempt !== undefined || this.#urls().length === 0) return;
    this.#attempt = 0;
    this.#announce();
  }

  #announce(): void {
    const url = this.#urls()[this.#attempt as number] as string;
    this.#announced = this.#pending;
    this.#outputs.push({ url, event: this.#announced });
  }

  #urls(): string[] {
    return this.#tiers.flat();
  }

  #moveToFront(url: string): void {
    for (const tier of this.#tiers) {
      const at = tier.indexOf(url);
      if (at > 0) tier.unshift(...tier.splice(at, 1));
    }
  }
}
