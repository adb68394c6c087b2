/**
 * Newcomers that were not told of the source, because their swarm does without it. The SourceNodes
 * hear of them in batches, so that they can look at them: nobody is left alone by accident.
 */
import type { InfoHash } from "../base/units.ts";
import type { ParticipationOrder } from "../protocol/control/participation.ts";

/** What one source is to hear. */
export type WatchOrder = Extract<ParticipationOrder, { readonly type: "watch" }>;

/** Newcomers of one swarm in one batch; a source watches a bounded number anyway. */
const MAX_PEERS = 100;
/** Swarms in one batch. */
const MAX_SWARMS = 1000;

export class WatchList {
  readonly #peers = new Map<InfoHash, { readonly host: string; readonly port: number }[]>();

  add(infoHash: InfoHash, peer: { readonly host: string; readonly port: number }): void {
    const peers = this.#peers.get(infoHash);
    if (peers !== undefined) {
      if (peers.length < MAX_PEERS) peers.push(peer);
    } else if (this.#peers.size < MAX_SWARMS) this.#peers.set(infoHash, [peer]);
  }

  /** All that was added since the call before. */
  take(): readonly WatchOrder[] {
    const orders = [...this.#peers].map(
      ([infoHash, peers]) => ({ type: "watch", infoHash, peers }) as const,
    );
    this.#peers.clear();
    return orders;
  }
}
