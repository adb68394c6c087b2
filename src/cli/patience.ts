/**
 * How long a download may go without anything arriving.
 *
 * A swarm may be silent for a while and come back, so silence after success is borne for long; where
 * nobody ever answered there is less to hope for, and a tracker that refuses will refuse again.
 */
import { BtPublisherError } from "../base/errors.ts";
import { formatSeconds } from "./text.ts";
import { describeTrouble } from "./troubles.ts";
import type { Trouble } from "../peer/peer-ports.ts";

/** A tracker has refused, or the server withdrawn it, and nobody else can help. */
const REFUSED_LIMIT_MS = 15_000;

/** Nobody has answered yet: some rounds of announces. */
const UNREACHED_LIMIT_MS = 2 * 60_000;

/** Something arrived before: time for a server to be restarted, and a little more. */
const STALLED_LIMIT_MS = 10 * 60_000;

/** What a look at the download shows. */
export interface Signs {
  /** Bytes that arrived in all. */
  readonly bytes: number;
  readonly connections: number;
  /** Somebody connected has what we lack. */
  readonly isOffered: boolean;
  /** Of a magnet link whose metadata nobody gave yet: how many peers were named for it. */
  readonly namedPeers?: number | undefined;
}

/** Watches one download. */
export class Patience {
  readonly #limitMs: number | undefined;
  #quietSince: number;
  #bytes = 0;
  #wasReached = false;
  #lastTrouble: Trouble | undefined;
  #notice: string | undefined;

  /** `limitMs` is what the user said: it stands for all limits, and 0 for none at all. */
  constructor(limitMs: number | undefined, now: number) {
    this.#limitMs = limitMs;
    this.#quietSince = now;
  }

  hear(trouble: Trouble): void {
    this.#lastTrouble = trouble;
  }

  /** The server that told of the torrent does not serve it at the moment; others may. */
  hearNotice(notice: string): void {
    this.#notice = notice;
  }

  /** @returns why to give up at `now`, or undefined to go on. */
  look(now: number, signs: Signs): BtPublisherError | undefined {
    const { bytes, connections, isOffered } = signs;
    if (connections > 0) this.#wasReached = true;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#wasReached = true;
      this.#quietSince = now;
    }
    const quietMs = now - this.#quietSince;
    const limitMs = this.#limit(isOffered);
    return limitMs === 0 || quietMs < limitMs ? undefined : this.#reason(quietMs, signs);
  }

  #limit(isOffered: boolean): number {
    if (this.#limitMs !== undefined) return this.#limitMs;
    const isGivenUp = this.#isRefused || this.#notice !== undefined;
    if (isGivenUp && !isOffered) return REFUSED_LIMIT_MS;
    return this.#wasReached ? STALLED_LIMIT_MS : UNREACHED_LIMIT_MS;
  }

  get #isRefused(): boolean {
    return this.#lastTrouble?.type === "tracker" && this.#lastTrouble.isRefusal;
  }

  #reason(quietMs: number, { namedPeers }: Signs): BtPublisherError {
    const trouble = this.#lastTrouble;
    const known = this.#notice ?? (trouble && describeTrouble(trouble));
    const time = formatSeconds(quietMs / 1000);
    const why = known === undefined ? "" : ` (${known})`;
    return new BtPublisherError(
      this.#isRefused ? "DENIED" : this.#notice === undefined ? "TRK_UNREACHABLE" : "UNAVAILABLE",
      namedPeers === undefined
        ? `nothing arrived for ${time}${why}; run it again to go on where it stopped`
        : `nobody gave the metadata of this magnet link for ${time}: ${peersNamed(namedPeers)}${why}; ` +
            "try it later, name a peer that has it (--peer), or get the .torrent",
    );
  }
}

function peersNamed(count: number): string {
  if (count === 0) return "no peer was named";
  return count === 1 ? "one peer was named" : `${count} peers were named`;
}
