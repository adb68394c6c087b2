/** The Tracker's settings. Checked once, here; inside they are complete and in range. */
import { BtPublisherError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";

/** What an operator may set. */
export interface TrackerOptions {
  /**
   * How often peers announce: 10 s … 24 h, default 120 s, which keeps peer lists fresh while swarms
   * are young. A peer that misses two of them expires a minute later.
   */
  readonly intervalMs: Millis;
  /** Peers in an answer at most: 1 … 200, default 50, what clients ask for by default. */
  readonly maxPeersPerAnswer: number;
  /**
   * Peers that are listed of one IPv4 address or IPv6 /64, per swarm: 1 … 100 000. The default of
   * 64 lets a house behind one address take part, and no single host fill the list.
   */
  readonly maxPeersPerNetwork: number;
  /**
   * Peers that claim a lower port get answers and are not listed: 1 … 65 535, default 1024, so that
   * nobody can point a swarm at a mail server (T3).
   */
  readonly leastPeerPort: number;
  /**
   * Announces of a peer that are closer than this are early, and more than two early ones in a row
   * are refused: 0 (never) … 60 000 ms, default 5000. A download of a second has started, completed
   * and stopped.
   */
  readonly earlyMs: Millis;
}

/** What holds when nothing is set. */
export const defaultTrackerOptions: TrackerOptions = {
  intervalMs: 120_000,
  maxPeersPerAnswer: 50,
  maxPeersPerNetwork: 64,
  leastPeerPort: 1024,
  earlyMs: 5000,
};

const ranges: Readonly<Record<keyof TrackerOptions, readonly [least: number, most: number]>> = {
  intervalMs: [10_000, 86_400_000],
  maxPeersPerAnswer: [1, 200],
  maxPeersPerNetwork: [1, 100_000],
  leastPeerPort: [1, 65_535],
  earlyMs: [0, 60_000],
};

/** `options` with defaults for what is left out. @throws CONFIG for a value out of range (CFG-05). */
export function resolveTrackerOptions(options: Partial<TrackerOptions>): TrackerOptions {
  const resolved = { ...defaultTrackerOptions, ...options };
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value = resolved[name as keyof TrackerOptions];
    if (Number.isSafeInteger(value) && value >= least && value <= most) continue;
    throw new BtPublisherError("CONFIG", `${name} is ${value}: set it to ${least} … ${most}`, {
      detail: { name, value, least, most },
    });
  }
  return resolved;
}

/** After this long without an announce a peer expires. */
export function expiryMs({ intervalMs }: Pick<TrackerOptions, "intervalMs">): Millis {
  return 2 * intervalMs + 60_000;
}
