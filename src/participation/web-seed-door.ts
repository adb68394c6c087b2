/**
 * Whether a client that asks at the web seed is answered. Ordinary clients pull from a web seed as
 * fast as they can, whatever their swarm could give; so whoever is connected by BitTorrent is served
 * there alone, piece by piece, and the web seed is for those who cannot connect.
 */
import type { Millis } from "../base/units.ts";

/** What the answer depends on. */
export interface WebSeedView {
  /** A peer with the asker's address is connected by BitTorrent. */
  readonly isConnected: boolean;
  /** Peers that download by BitTorrent. */
  readonly downloaders: number;
  /** One copy is all that the source wants to send: nobody is answered before its time. */
  readonly isThrifty: boolean;
  /** The swarm is in S2: its peers have everything. */
  readonly isReleased: boolean;
  /** The publication's budget is spent. */
  readonly isOverBudget: boolean;
}

/** A connected client asks the web seed again after this. */
const CONNECTED_WAIT_S = 30;
const RELEASED_WAIT_S = 60;
/** Time for a newcomer to connect by BitTorrent, before it is taken for one that cannot. */
const CONNECT_MS: Millis = 5000;
/** The same while nobody else is there: the first of a crowd would pull whole runs of pieces. */
const ALONE_CONNECT_MS: Millis = 2000;
/** Who did not ask for so long is a newcomer again. */
const FORGET_MS: Millis = 60_000;
const MAX_ASKERS = 1000;

export class WebSeedDoor {
  /** By address: when it asked first, and last; the latest last. */
  readonly #askers = new Map<string, { readonly firstAt: Millis; readonly lastAt: Millis }>();

  /** @returns seconds after which `host` may ask again; undefined: it is answered now. */
  waitSeconds(now: Millis, host: string, view: WebSeedView): number | undefined {
    if (view.isOverBudget) return RELEASED_WAIT_S;
    if (view.isConnected) return CONNECTED_WAIT_S;
    const askedForMs = this.#askedFor(now, host);
    const isAlone = view.downloaders === 0 && this.#askers.size === 1;
    const mayHurry = isAlone && !view.isThrifty;
    const waitMs = (mayHurry ? ALONE_CONNECT_MS : CONNECT_MS) - askedForMs;
    if (waitMs > 0) return Math.ceil(waitMs / 1000);
    return view.isReleased && !mayHurry ? RELEASED_WAIT_S : undefined;
  }

  #askedFor(now: Millis, host: string): Millis {
    this.#forget(now);
    const firstAt = this.#askers.get(host)?.firstAt ?? now;
    this.#askers.delete(host);
    this.#askers.set(host, { firstAt, lastAt: now });
    return now - firstAt;
  }

  /** Those who stopped asking; and of too many, who asked longest ago. */
  #forget(now: Millis): void {
    for (const [host, { lastAt }] of this.#askers) {
      if (now - lastAt < FORGET_MS && this.#askers.size <= MAX_ASKERS) return;
      this.#askers.delete(host);
    }
  }
}
