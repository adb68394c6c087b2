/**
 * What the dashboard hears over server-sent events, as JSON, and how a reader keeps up with it: a
 * snapshot first, then what changed. Without any dependency, so that browsers run the same code.
 * Sizes are bytes, rates bytes per second, instants Unix milliseconds.
 */

/** S0: the server alone. S1: server and peers. S2: peers alone. */
export type LiveState = "S0" | "S1" | "S2";

/** A state of a swarm, why, and since when. */
export interface LiveStateChange {
  readonly state: LiveState;
  /** Its `code` is stable; what else it has depends on the code. */
  readonly reason: { readonly code: string };
  /** The reason in words. */
  readonly message: string;
  readonly since: number;
}

/** How busy the SourceNode is. */
export interface LiveSource {
  readonly uplinkRate: number;
  /** From `--max-upload`; absent when unlimited. */
  readonly uplinkLimit?: number;
  /** What the line can do, as far as is known. */
  readonly uplinkCapacity: number;
  readonly connections: number;
  /** Share of one core, 0 … . */
  readonly cpuFraction: number;
  readonly eventLoopDelayMs: number;
  /** Read from storage; 1 - this ÷ `uplinkRate` is the hit rate of the system's cache. */
  readonly storageReadRate: number;
}

/** One publication at a glance. What is not known (yet) is absent. */
export interface LiveSummary {
  readonly name: string;
  readonly contentName?: string;
  readonly infoHash?: string;
  /** Content length. */
  readonly bytes?: number;
  readonly state: "uploading" | "hashing" | "published" | "withdrawn" | "removing";
  /** While it is hashed. */
  readonly progress?: { readonly bytes: number; readonly total: number };
  readonly participation?: LiveStateChange;
  /** What the SourceNode sees of the swarm; absent while it is not served. */
  readonly swarm?: LiveSwarm;
}

/** Figures of one swarm. */
export interface LiveSwarm {
  /** Peers that the SourceNode is connected to. */
  readonly peers: number;
  /** Those of them that are not complete. */
  readonly downloaders: number;
  /** Of the rarest piece, outside the server, by evidence. */
  readonly copies: number;
  /** Copies that each piece must have outside before the server may rest. */
  readonly floor: number;
  /** Pieces with fewer copies than that. */
  readonly piecesBelowFloor: number;
  /** Sent ever, by all doors. */
  readonly sentBytes: number;
  /** `sentBytes` ÷ content length. */
  readonly copiesSent: number;
  /** What peers were seen to gain and the server did not have to send. */
  readonly savedBytes: number;
  /** What each downloader would get by a plain download. */
  readonly directShare: number;
  /** How many times as long as the fluid bound the crowd takes so far; absent: nobody is there. */
  readonly boundRatio?: number;
  /** What the server sends now. */
  readonly sentRate: number;
  /** What all peers gain now, from anyone. */
  readonly gainedRate: number;
}

/** `event: snapshot` of `/api/v1/events`. */
export interface LiveOverview {
  readonly at: number;
  /** Absent while the SourceNode cannot be reached. */
  readonly source?: LiveSource;
  /** Newest first. */
  readonly publications: readonly LiveSummary[];
}

/** `event: delta` of `/api/v1/events`: what is absent is as it was. */
export interface LiveOverviewDelta {
  readonly at: number;
  /** null: it cannot be reached any more. */
  readonly source?: LiveSource | null;
  /** New or other than before, whole. */
  readonly changed?: readonly LiveSummary[];
  /** Names of those that are gone. */
  readonly removed?: readonly string[];
}

/** Where the bytes come from that are downloaded now. */
export interface LiveRates {
  /** Sent by the server. */
  readonly bittorrent: number;
  readonly webseed: number;
  readonly webrtc: number;
  readonly http: number;
  /** Peers to peers. */
  readonly peers: number;
}

/** What a peer of our kind says of itself: claims, by which nothing is decided. */
export interface LivePeerReport {
  readonly downRate: number;
  readonly upRate: number;
  /** Bytes that it has had so far: from SourceNodes and web seeds, and from peers. */
  readonly fromSources: number;
  readonly fromPeers: number;
  /** Peers that it is connected to. */
  readonly neighbours: number;
  /** What its user lets it download at most; absent: no limit. */
  readonly downLimit?: number;
  /** It goes when it has everything. */
  readonly leavesWhenDone: boolean;
}

/** A peer that is connected to the SourceNode. */
export interface LivePeer {
  /** Names it within this stream. */
  readonly key: number;
  /** From its peer id: `qBittorrent 4.6.2`. Chosen by a stranger: never markup. */
  readonly client: string;
  readonly address: string;
  readonly joinedAt: number;
  /** Pieces that it says it has. */
  readonly pieces: number;
  /** What it gains, from anyone. */
  readonly gainedRate: number;
  /** What the server sends it. */
  readonly sentRate: number;
  /** What it is owed of its direct share; below 0: it is ahead. */
  readonly owedBytes: number;
  /** Absent for those that do not report. */
  readonly report?: LivePeerReport;
}

/** A peer's changing figures in the order of `LivePeer`. */
export type LivePeerFigures = readonly [
  key: number,
  pieces: number,
  gainedRate: number,
  sentRate: number,
  owedBytes: number,
];

/** `event: snapshot` of `/api/v1/publications/NAME/events`. */
export interface LiveDetail {
  readonly at: number;
  readonly summary: LiveSummary;
  readonly rates: LiveRates;
  readonly pieceLength: number;
  /**
   * Copies of each piece outside the server, one character for each piece: 0-9, A-Z, a-z stand for
   * 0 to 61; `z` also for more. Below the floor: less than `summary.swarm.floor`.
   */
  readonly copies: string;
  /** How often the server sent each piece, rounded up; the same characters. */
  readonly sent: string;
  /** At most 500. */
  readonly peers: readonly LivePeer[];
  /** Peers that are not listed. */
  readonly otherPeers: number;
  /** States of the last weeks, oldest first; at most 200. */
  readonly timeline: readonly LiveStateChange[];
}

/** Pieces that changed, in runs: the first piece, then the characters from there on. */
export type LiveRuns = readonly (readonly [firstPiece: number, characters: string])[];

/** `event: delta` of `/api/v1/publications/NAME/events`: what is absent is as it was. */
export interface LiveDetailDelta {
  readonly at: number;
  readonly summary?: LiveSummary;
  readonly rates?: LiveRates;
  readonly copies?: LiveRuns;
  readonly sent?: LiveRuns;
  readonly joined?: readonly LivePeer[];
  /** Keys. */
  readonly left?: readonly number[];
  readonly figures?: readonly LivePeerFigures[];
  /** New ones, by key; null: none any more. */
  readonly reports?: readonly (readonly [key: number, report: LivePeerReport | null])[];
  readonly otherPeers?: number;
  /** New ones. */
  readonly timeline?: readonly LiveStateChange[];
}

/** States of a publication that are kept. */
export const MAX_TIMELINE = 200;

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The character for `count` copies. */
export function pieceCharacter(count: number): string {
  return DIGITS.charAt(Math.min(count, DIGITS.length - 1));
}

/** The characters of all pieces. */
export function pieceCharacters(pieces: number, countOf: (piece: number) => number): string {
  let text = "";
  for (let piece = 0; piece < pieces; piece++) text += pieceCharacter(countOf(piece));
  return text;
}

/** How many copies piece `piece` has by `characters`; 61 stands for more, too. */
export function pieceCount(characters: string, piece: number): number {
  return Math.max(0, DIGITS.indexOf(characters.charAt(piece)));
}

/** The overview after `delta`. */
export function applyOverviewDelta(before: LiveOverview, delta: LiveOverviewDelta): LiveOverview {
  const { at, source, changed = [], removed = [] } = delta;
  const known = new Set(before.publications.map(({ name }) => name));
  const byName = new Map(changed.map((summary) => [summary.name, summary]));
  const gone = new Set(removed);
  const { source: sourceBefore, ...rest } = before;
  const now = source === undefined ? sourceBefore : (source ?? undefined);
  return {
    ...rest,
    at,
    ...(now !== undefined && { source: now }),
    publications: [
      ...changed.filter(({ name }) => !known.has(name)),
      ...before.publications
        .filter(({ name }) => !gone.has(name))
        .map((summary) => byName.get(summary.name) ?? summary),
    ],
  };
}

/** The view of one publication after `delta`. */
export function applyDetailDelta(before: LiveDetail, delta: LiveDetailDelta): LiveDetail {
  const left = new Set(delta.left);
  const figures = new Map(delta.figures?.map((each) => [each[0], each]));
  const reports = new Map(delta.reports);
  const stayed = before.peers.filter(({ key }) => !left.has(key));
  return {
    at: delta.at,
    summary: delta.summary ?? before.summary,
    rates: delta.rates ?? before.rates,
    pieceLength: before.pieceLength,
    copies: withRuns(before.copies, delta.copies),
    sent: withRuns(before.sent, delta.sent),
    peers: [
      ...stayed.map((peer) =>
        withReport(withFigures(peer, figures.get(peer.key)), reports.get(peer.key)),
      ),
      ...(delta.joined ?? []),
    ],
    otherPeers: delta.otherPeers ?? before.otherPeers,
    timeline: [...before.timeline, ...(delta.timeline ?? [])].slice(-MAX_TIMELINE),
  };
}

function withFigures(peer: LivePeer, figures: LivePeerFigures | undefined): LivePeer {
  if (figures === undefined) return peer;
  const [, pieces, gainedRate, sentRate, owedBytes] = figures;
  return { ...peer, pieces, gainedRate, sentRate, owedBytes };
}

/** `report` undefined: the one from before; null: none. */
function withReport(peer: LivePeer, report: LivePeerReport | null | undefined): LivePeer {
  if (report === undefined) return peer;
  const { report: _before, ...rest } = peer;
  return report === null ? rest : { ...rest, report };
}

function withRuns(before: string, runs: LiveRuns = []): string {
  let after = "";
  let end = 0;
  for (const [first, characters] of runs) {
    after += before.slice(end, first) + characters;
    end = first + characters.length;
  }
  return after + before.slice(end);
}
