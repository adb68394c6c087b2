/**
 * Who may download from us (BEP 3): pure decisions over a view of the interested peers.
 *
 * A leech answers in kind (tit for tat, by what a peer gives it) and keeps one slot for chance; a
 * seed gives turns, so that fast peers which pass nothing on cannot hold its slots for good.
 */
import type { Random } from "../../base/random.ts";
import type { Millis } from "../../base/units.ts";

/** How many may download from us, and how often that is decided anew. */
export interface ChokerOptions {
  /** Peers that may download at once, the optimistic one included. */
  readonly uploadSlots: number;
  readonly rechokeIntervalMs: Millis;
  /** The optimistic slot goes to another peer this often (BEP 3: every third rechoke). */
  readonly optimisticIntervalMs: Millis;
  /** Seed: a peer that got this much in its turn lets others go first. */
  readonly seedTurnBytes: number;
  /** ... and so does one whose turn lasts this long, however little it asked for. */
  readonly seedTurnMs: Millis;
}

/** BEP 3's intervals, and slots enough for a home uplink. */
export const defaultChokerOptions: ChokerOptions = Object.freeze({
  uploadSlots: 8,
  rechokeIntervalMs: 10_000,
  optimisticIntervalMs: 30_000,
  seedTurnBytes: 16 * 1024 * 1024,
  seedTurnMs: 60_000,
});

/** An interested peer. */
export interface ChokeCandidate {
  readonly key: number;
  readonly isUnchoked: boolean;
  /** It owes us blocks and sends none. */
  readonly isSnubbed: boolean;
  /** What it gives us, bytes per second. */
  readonly givesBytesPerSecond: number;
  /** What it got since it was unchoked last. */
  readonly turnBytes: number;
  /** When it was choked or unchoked last. */
  readonly changedAt: Millis;
}

/** The peers to have unchoked until the next rechoke, by key. */
export function chooseUnchoked(
  candidates: readonly ChokeCandidate[],
  options: {
    readonly mode: "leech" | "seed";
    readonly slots: number;
    readonly seedTurnBytes: number;
    readonly seedTurnMs: Millis;
    readonly now: Millis;
    /** Kept unchoked besides the regular slots, when it is among the candidates. */
    readonly optimistic: number | undefined;
  },
): ReadonlySet<number> {
  if (candidates.length <= options.slots) return new Set(candidates.map((peer) => peer.key));
  const chosen = new Set<number>();
  const hasOptimistic = candidates.some((peer) => peer.key === options.optimistic);
  if (options.mode === "leech" && hasOptimistic && options.slots > 0)
    chosen.add(options.optimistic as number);
  const compare = options.mode === "leech" ? byReciprocation : byTurn(options);
  for (const peer of candidates.toSorted(compare)) {
    if (chosen.size >= options.slots) break;
    chosen.add(peer.key);
  }
  return chosen;
}

/** A choked peer at random that should try its luck next, or undefined. */
export function chooseOptimistic(
  candidates: readonly ChokeCandidate[],
  random: Random,
): number | undefined {
  const choked = candidates.filter((peer) => !peer.isUnchoked && !peer.isSnubbed);
  return choked.length === 0 ? undefined : choked[random.below(choked.length)]?.key;
}

function byReciprocation(a: ChokeCandidate, b: ChokeCandidate): number {
  if (a.isSnubbed !== b.isSnubbed) return a.isSnubbed ? 1 : -1;
  return b.givesBytesPerSecond - a.givesBytesPerSecond;
}

function byTurn(options: {
  readonly seedTurnBytes: number;
  readonly seedTurnMs: Millis;
  readonly now: Millis;
}): (a: ChokeCandidate, b: ChokeCandidate) => number {
  const isServed = ({ isUnchoked, turnBytes, changedAt }: ChokeCandidate) =>
    isUnchoked &&
    (turnBytes >= options.seedTurnBytes || options.now - changedAt >= options.seedTurnMs);
  return (a, b) => {
    if (isServed(a) !== isServed(b)) return isServed(a) ? 1 : -1;
    // Whoever has a turn keeps it: changing costs the peer its pipeline.
    if (a.isUnchoked !== b.isUnchoked) return a.isUnchoked ? -1 : 1;
    return a.changedAt - b.changedAt;
  };
}
