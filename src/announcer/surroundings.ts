/**
 * What the Announcer knows of the Tracker and the SourceNodes right now. Pages must not fail while
 * the control link is cut or silent, so the last answer stays good; and a crowd of readers asks only
 * once in a while.
 */
import type { InfoHash, Millis } from "../base/units.ts";
import type { Clock } from "../ports/clock.ts";
import type { AnnouncerControlLink, KnownSource, SwarmCounts } from "../ports/tracker-control.ts";
import type { HeldState } from "../protocol/control/participation.ts";
import { Waiting } from "./waiting.ts";

/** One look at the Tracker. */
export interface Sight {
  readonly announceUrls: readonly string[];
  readonly sources: readonly KnownSource[];
}

/** How old an answer may be, in milliseconds: SourceNodes report every 5 s. */
const MAX_AGE_MS: Millis = 2_000;

/** The Announcer's view over the control link. */
export class Surroundings {
  readonly #control: AnnouncerControlLink;
  readonly #clock: Clock;
  readonly #waiting: Waiting;
  #last: { readonly at: Millis; readonly sight: Promise<Sight> } | undefined;
  #lastGood: Sight = { announceUrls: [], sources: [] };

  constructor(control: AnnouncerControlLink, clock: Clock) {
    this.#control = control;
    this.#clock = clock;
    this.#waiting = new Waiting(clock);
  }

  /** Never rejects: while the Tracker is away it is what was last seen. */
  look(): Promise<Sight> {
    const now = this.#clock.now();
    if (this.#last === undefined || now - this.#last.at > MAX_AGE_MS) {
      // The control link connects again by itself; until then the last sight is the best there is.
      const sight = this.#waiting.for(this.#ask()).then(() => this.#lastGood);
      this.#last = { at: now, sight };
    }
    return this.#last.sight;
  }

  /** Peers by torrent; empty while the Tracker is away. Never rejects. */
  async counts(infoHashes: readonly InfoHash[]): Promise<ReadonlyMap<InfoHash, SwarmCounts>> {
    if (infoHashes.length === 0) return new Map();
    return (await this.#waiting.for(this.#control.counts(infoHashes))) ?? new Map();
  }

  /** The states that a swarm was in, oldest first; none while the Tracker is away. Never rejects. */
  async states(infoHash: InfoHash): Promise<readonly HeldState[]> {
    return (await this.#waiting.for(this.#control.states(infoHash))) ?? [];
  }

  async #ask(): Promise<void> {
    const [announceUrls, sources] = await Promise.all([
      this.#control.announceUrls(),
      this.#control.sources(),
    ]);
    this.#lastGood = { announceUrls, sources };
  }
}
