/**
 * The fluid bound: no system distributes a file sooner (Kumar and Ross, "Peer-assisted file
 * distribution: the minimum distribution time", 2006). Times are seconds, rates bytes per second.
 */

/** A swarm that starts at once: everybody wants everything. */
export interface FluidSwarm {
  readonly contentLength: number;
  readonly sourceUplink: number;
  readonly peerUplinks: readonly number[];
  readonly slowestDownlink: number;
}

/** T*: the least time in which every peer can have everything, in seconds. */
export function leastSeconds(swarm: FluidSwarm): number {
  const { contentLength, sourceUplink, peerUplinks, slowestDownlink } = swarm;
  const wanted = contentLength * peerUplinks.length;
  return Math.max(
    contentLength / sourceUplink,
    contentLength / slowestDownlink,
    wanted / (sourceUplink + sum(peerUplinks)),
  );
}

/** T*(E): the same when the source sends `sentBytes` in all, at least the content once. */
export function leastSecondsWhenSent(swarm: FluidSwarm, sentBytes: number): number {
  const { contentLength, sourceUplink, peerUplinks, slowestDownlink } = swarm;
  const fromPeers = Math.max(0, contentLength * peerUplinks.length - sentBytes);
  return Math.max(
    contentLength / sourceUplink,
    contentLength / slowestDownlink,
    fromPeers === 0 ? 0 : fromPeers / sum(peerUplinks),
  );
}

/** The copies that a source must send so that nobody is slower than by plain C/S: N(1 − Σu/u_s). */
export function copiesOfDirectShare(swarm: FluidSwarm): number {
  const { peerUplinks, sourceUplink } = swarm;
  return Math.max(1, peerUplinks.length * (1 - sum(peerUplinks) / sourceUplink));
}

/** What a crowd has done so far. Bytes, and bytes per second. */
export interface CrowdSoFar {
  readonly elapsedMs: number;
  readonly gainedBytes: number;
  readonly sentBytes: number;
  /** The most that peers were seen to give each other: stands for the sum of their uplinks. */
  readonly exchangePeak: number;
  readonly uplink: number;
}

/**
 * How many times as long as the bound a crowd took for what it gained: 1 is as quick as can be.
 * The peers' uplinks are not known but by what they gave, so that a swarm that never filled them
 * looks better than it is. Undefined before anybody gained anything.
 */
export function distanceFromBound(crowd: CrowdSoFar): number | undefined {
  const { elapsedMs, gainedBytes, sentBytes, exchangePeak, uplink } = crowd;
  const fromPeers = Math.max(0, gainedBytes - sentBytes);
  const least = Math.max(
    Math.min(sentBytes, gainedBytes) / uplink,
    fromPeers === 0 || exchangePeak === 0 ? 0 : fromPeers / exchangePeak,
  );
  return least === 0 ? undefined : Math.max(1, elapsedMs / 1000 / least);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
