/** Questions to a ledger: some of its lines, pages of them, and its history in spans of time. */
import type { UnixMillis } from "../base/units.ts";
import type { Door, LedgerEntry } from "../ports/content-service.ts";
import type { LedgerBin } from "../protocol/api/ledger.ts";

/** Which lines. All that are given must match. */
export interface LedgerFilter {
  readonly since?: UnixMillis | undefined;
  /** Exclusive. */
  readonly until?: UnixMillis | undefined;
  /** A peer id in lower-case hexadecimal, or how it begins. */
  readonly peer?: string | undefined;
  /** A host. */
  readonly address?: string | undefined;
  readonly piece?: number | undefined;
  readonly door?: Door | undefined;
}

/** From where a page goes on: so many lines of that very millisecond were there already. */
export interface LedgerCursor {
  readonly at: UnixMillis;
  readonly count: number;
}

/** Lines of one page. */
export interface LedgerSlice {
  readonly entries: readonly LedgerEntry[];
  /** Undefined on the last page. */
  readonly next: LedgerCursor | undefined;
}

/** The lines of `entries` that `filter` means, in their order. */
export async function* matching(
  entries: AsyncIterable<LedgerEntry>,
  filter: LedgerFilter,
): AsyncIterable<LedgerEntry> {
  for await (const entry of entries) if (matches(entry, filter)) yield entry;
}

/** The next `limit` lines after `cursor`. `entries` begin no later than at `cursor.at`. */
export async function sliceOf(
  entries: AsyncIterable<LedgerEntry>,
  filter: LedgerFilter,
  { cursor, limit }: { readonly cursor: LedgerCursor | undefined; readonly limit: number },
): Promise<LedgerSlice> {
  const found: LedgerEntry[] = [];
  let skip = cursor?.count ?? 0;
  let at = cursor?.at ?? 0;
  let count = 0;
  for await (const entry of entries) {
    const isOlder = cursor !== undefined && entry.at < cursor.at;
    const isSeen = isOlder || (cursor !== undefined && entry.at === cursor.at && skip-- > 0);
    const isWanted = !isSeen && matches(entry, filter);
    if (isWanted && found.length === limit) return { entries: found, next: { at, count } };
    // A clock that was set back must not make pages that go round in a circle.
    if (entry.at > at) count = 0;
    at = Math.max(at, entry.at);
    if (entry.at === at) count++;
    if (isWanted) found.push(entry);
  }
  return { entries: found, next: undefined };
}

/** Spans of a history, and groups of its pieces, at most. */
export interface HistoryLimits {
  readonly bins: number;
  readonly groups: number;
}

/** What was sent, in equal spans of time. */
export interface History {
  readonly since: UnixMillis | undefined;
  readonly until: UnixMillis | undefined;
  readonly binMs: number;
  readonly piecesPerGroup: number;
  readonly bins: readonly LedgerBin[];
}

/** The shortest span: what is seen to move, when it is played. */
const MIN_BIN_MS = 500;
/** Nodes of one span that are told apart. */
const MAX_NODES = 1000;

/**
 * The history of the matching lines, in one pass and bounded memory: when the time is longer than
 * all spans together, two become one.
 */
export async function historyOf(
  entries: AsyncIterable<LedgerEntry>,
  filter: LedgerFilter,
  { pieceCount, limits }: { readonly pieceCount: number; readonly limits: HistoryLimits },
): Promise<History> {
  const piecesPerGroup = Math.max(1, Math.ceil(pieceCount / limits.groups));
  const { since, until } = filter;
  const span = since === undefined || until === undefined ? 0 : until - since;
  let binMs = Math.max(MIN_BIN_MS, Math.ceil(span / limits.bins));
  let start = since;
  let end: UnixMillis | undefined;
  let bins = new Map<number, Bin>();
  for await (const entry of entries) {
    if (!matches(entry, filter)) continue;
    start ??= entry.at;
    end = Math.max(end ?? entry.at, entry.at);
    // A clock that was set back: what came before the first line is counted with it.
    const offset = Math.max(0, entry.at - start);
    while (Math.floor(offset / binMs) >= limits.bins) {
      binMs *= 2;
      bins = halved(bins);
    }
    const index = Math.floor(offset / binMs);
    const bin = bins.get(index) ?? new Bin();
    bins.set(index, bin);
    bin.add(entry, Math.floor(entry.pieceIndex / piecesPerGroup));
  }
  const first = start ?? 0;
  return {
    since: end === undefined ? undefined : start,
    until: end === undefined ? undefined : (until ?? end + 1),
    binMs,
    piecesPerGroup,
    bins: [...bins]
      .toSorted(([a], [b]) => a - b)
      .map(([index, bin]) => bin.json(first + index * binMs)),
  };
}

class Bin {
  readonly #bytes = new Map<Door, number>();
  readonly #nodes = new Set<string>();
  readonly #groups = new Map<number, number>();

  add({ door, peerId, address, bytes }: LedgerEntry, group: number): void {
    increase(this.#bytes, door, bytes);
    increase(this.#groups, group, bytes);
    this.#addNode(`${peerId} ${address}`);
  }

  addAll(other: Bin): void {
    for (const [door, bytes] of other.#bytes) increase(this.#bytes, door, bytes);
    for (const [group, bytes] of other.#groups) increase(this.#groups, group, bytes);
    for (const node of other.#nodes) this.#addNode(node);
  }

  json(at: UnixMillis): LedgerBin {
    return {
      at: new Date(at).toISOString(),
      bytes: Object.fromEntries(this.#bytes),
      nodes: this.#nodes.size,
      groups: [...this.#groups].toSorted(([a], [b]) => a - b),
    };
  }

  #addNode(node: string): void {
    if (this.#nodes.size < MAX_NODES) this.#nodes.add(node);
  }
}

function halved(bins: ReadonlyMap<number, Bin>): Map<number, Bin> {
  const merged = new Map<number, Bin>();
  for (const [index, bin] of bins) {
    const half = Math.floor(index / 2);
    const known = merged.get(half);
    if (known === undefined) merged.set(half, bin);
    else known.addAll(bin);
  }
  return merged;
}

function increase<Key>(sums: Map<Key, number>, key: Key, by: number): void {
  sums.set(key, (sums.get(key) ?? 0) + by);
}

function matches(entry: LedgerEntry, filter: LedgerFilter): boolean {
  const { since = 0, until = Number.POSITIVE_INFINITY, peer, address, piece, door } = filter;
  return (
    entry.at >= since &&
    entry.at < until &&
    (peer === undefined || (entry.peerId !== "" && entry.peerId.startsWith(peer))) &&
    (address === undefined || hostOf(entry.address) === address) &&
    (piece === undefined || entry.pieceIndex === piece) &&
    (door === undefined || entry.door === door)
  );
}

/** `192.0.2.1:80` and `[2001:db8::1]:80` without the port, and hosts as they are. */
function hostOf(address: string): string {
  const bracketed = /^\[(.*)\]/.exec(address)?.[1];
  if (bracketed !== undefined) return bracketed;
  // More than one colon: an IPv6 address without a port.
  return /^[^:]*:\d+$/.test(address) ? address.slice(0, address.indexOf(":")) : address;
}
