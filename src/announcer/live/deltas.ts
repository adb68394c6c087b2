/** What changed between two states of what is watched: see `applyOverviewDelta`, `applyDetailDelta`. */
import type {
  LiveDetail,
  LiveDetailDelta,
  LiveOverview,
  LiveOverviewDelta,
  LivePeer,
  LivePeerFigures,
  LiveRuns,
} from "../../protocol/api/live.ts";

/** Of an overview; undefined: nothing but the time. */
export function overviewDelta(
  before: LiveOverview,
  after: LiveOverview,
): LiveOverviewDelta | undefined {
  const known = new Map(before.publications.map((each) => [each.name, each]));
  const names = new Set(after.publications.map(({ name }) => name));
  const changed = after.publications.filter((each) => !isSame(known.get(each.name), each));
  const removed = [...known.keys()].filter((name) => !names.has(name));
  return unlessEmpty(after.at, {
    source: isSame(before.source, after.source) ? undefined : (after.source ?? null),
    changed: unlessNone(changed),
    removed: unlessNone(removed),
  });
}

/** Of one publication; undefined: nothing but the time. */
export function detailDelta(before: LiveDetail, after: LiveDetail): LiveDetailDelta | undefined {
  const known = new Map(before.peers.map((peer) => [peer.key, peer]));
  const keys = new Set(after.peers.map(({ key }) => key));
  const last = before.timeline.at(-1)?.since ?? 0;
  return unlessEmpty(after.at, {
    summary: isSame(before.summary, after.summary) ? undefined : after.summary,
    rates: isSame(before.rates, after.rates) ? undefined : after.rates,
    copies: unlessNone(runsBetween(before.copies, after.copies)),
    sent: unlessNone(runsBetween(before.sent, after.sent)),
    joined: unlessNone(after.peers.filter(({ key }) => !known.has(key))),
    left: unlessNone([...known.keys()].filter((key) => !keys.has(key))),
    figures: unlessNone(after.peers.flatMap((peer) => changedFigures(known.get(peer.key), peer))),
    reports: unlessNone(after.peers.flatMap((peer) => changedReport(known.get(peer.key), peer))),
    otherPeers: before.otherPeers === after.otherPeers ? undefined : after.otherPeers,
    timeline: unlessNone(after.timeline.filter(({ since }) => since > last)),
  });
}

/** Characters that are other than before, in runs; a few equal ones between two are taken along. */
function runsBetween(before: string, after: string): LiveRuns {
  // Another run costs about as much text as this.
  const GAP = 8;
  const runs: [number, string][] = [];
  if (before === after) return runs;
  let start = -1;
  let end = -1;
  for (let i = 0; i < after.length; i++) {
    if (before.charCodeAt(i) === after.charCodeAt(i)) continue;
    if (start >= 0 && i - end > GAP) {
      runs.push([start, after.slice(start, end)]);
      start = -1;
    }
    if (start < 0) start = i;
    end = i + 1;
  }
  if (start >= 0) runs.push([start, after.slice(start, end)]);
  return runs;
}

function changedFigures(before: LivePeer | undefined, after: LivePeer): LivePeerFigures[] {
  const { key, pieces, gainedRate, sentRate, owedBytes } = after;
  const isChanged =
    before !== undefined &&
    (before.pieces !== pieces ||
      before.gainedRate !== gainedRate ||
      before.sentRate !== sentRate ||
      before.owedBytes !== owedBytes);
  return isChanged ? [[key, pieces, gainedRate, sentRate, owedBytes]] : [];
}

type ChangedReports = NonNullable<LiveDetailDelta["reports"]>;

function changedReport(before: LivePeer | undefined, { key, report }: LivePeer): ChangedReports {
  if (before === undefined || isSame(before.report, report)) return [];
  return [[key, report ?? null]];
}

/** Values of JSON, made by the same code: equal ones have the same text. */
function isSame(a: object | undefined, b: object | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function unlessNone<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}

type Known<Fields> = { readonly [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

function unlessEmpty<Fields extends object>(
  at: number,
  fields: Fields,
): (Known<Fields> & { readonly at: number }) | undefined {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  if (known.length === 0) return undefined;
  return { at, ...(Object.fromEntries(known) as Known<Fields>) };
}
