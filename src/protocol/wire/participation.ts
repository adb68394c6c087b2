/**
 * Messages of our own extension (BEP 10) `btp_participation`, between our peers and a SourceNode: a peer
 * reports how it gets on, the SourceNode tells which pieces have too few copies. Bencoded; `v` is the
 * version, and what is of another one, malformed or too large is ignored.
 */
import type { PieceIndex } from "../../base/units.ts";
import { decodeBencode } from "../bencode/decode.ts";
import { type BencodeInput, encodeBencode } from "../bencode/encode.ts";
import { BencodeDictionary, type BencodeList } from "../bencode/value.ts";

/** The name in `m` of the extension handshake. */
export const PARTICIPATION_EXTENSION = "btp_participation";
/** Ranges in one message; more come in the next one. */
export const MAX_RANGES = 256;
/** Longest payload that is looked at; 512 numbers of up to ten digits are below it. */
const MAX_LENGTH = 8192;
const VERSION = 1;

/** Payload bytes by kind of partner. */
export interface BytesByPartner {
  readonly sources: number;
  /** Peers that speak this extension. */
  readonly ownPeers: number;
  readonly otherPeers: number;
}

/** What a peer says of itself: claims, never evidence. Rates are bytes per second. */
export interface PeerReport {
  readonly downloaded: BytesByPartner;
  readonly uploaded: BytesByPartner;
  readonly downRate: number;
  readonly upRate: number;
  /** Peers that it is connected to. */
  readonly neighbours: number;
  /** The highest mean over some seconds so far. */
  readonly downlink: number;
  readonly uplink: number;
  /** What its user lets it download at most; 0: no limit. */
  readonly downLimit: number;
  /** It goes when it has everything. */
  readonly leavesWhenDone: boolean;
}

/** Pieces in a row. */
export interface PieceRange {
  readonly first: PieceIndex;
  readonly count: number;
}

/** Which pieces have too few copies: what changed since the message before. */
export interface FloorChange {
  /** What was said before is void. */
  readonly isFresh: boolean;
  readonly below: readonly PieceRange[];
  /** Pieces that have enough again. */
  readonly enough: readonly PieceRange[];
}

/** A message of the extension. */
export type ParticipationMessage =
  | { readonly type: "report"; readonly report: PeerReport }
  | { readonly type: "floor"; readonly change: FloorChange };

const messageTypes = { report: 0, floor: 1 } as const;

/** The payload of a report. */
export function encodePeerReport(report: PeerReport): Uint8Array {
  const { downRate, upRate, neighbours, downlink, uplink, downLimit, leavesWhenDone } = report;
  return encodeBencode({
    msg_type: messageTypes.report,
    v: VERSION,
    down: partnerList(report.downloaded),
    down_rate: Math.round(downRate),
    downlink: Math.round(downlink),
    leaves: leavesWhenDone ? 1 : 0,
    limit: Math.round(downLimit),
    peers: neighbours,
    up: partnerList(report.uploaded),
    up_rate: Math.round(upRate),
    uplink: Math.round(uplink),
  });
}

/** The payload of a change; it must have at most `MAX_RANGES` ranges. */
export function encodeFloorChange({ isFresh, below, enough }: FloorChange): Uint8Array {
  return encodeBencode({
    msg_type: messageTypes.floor,
    v: VERSION,
    below: rangeList(below),
    enough: rangeList(enough),
    fresh: isFresh ? 1 : 0,
  });
}

/** What a payload says; undefined when it is to be ignored. */
export function parseParticipationMessage(
  payload: Uint8Array,
  pieceCount: number,
): ParticipationMessage | undefined {
  if (payload.length > MAX_LENGTH) return undefined;
  const decoded = decodeBencode(payload, { maxDepth: 2, maxTokens: 4 * MAX_RANGES });
  if (!decoded.ok || !(decoded.value instanceof BencodeDictionary)) return undefined;
  const dictionary = decoded.value;
  if (dictionary.getInteger("v") !== VERSION) return undefined;
  switch (dictionary.getInteger("msg_type")) {
    case messageTypes.report:
      return parseReport(dictionary);
    case messageTypes.floor:
      return parseFloorChange(dictionary, pieceCount);
    default:
      return undefined;
  }
}

function parseReport(dictionary: BencodeDictionary): ParticipationMessage | undefined {
  const downloaded = parsePartners(dictionary.getList("down"));
  const uploaded = parsePartners(dictionary.getList("up"));
  if (downloaded === undefined || uploaded === undefined) return undefined;
  const amountOf = (key: string): number => Math.max(0, dictionary.getInteger(key) ?? 0);
  const report: PeerReport = {
    downloaded,
    uploaded,
    downRate: amountOf("down_rate"),
    upRate: amountOf("up_rate"),
    neighbours: amountOf("peers"),
    downlink: amountOf("downlink"),
    uplink: amountOf("uplink"),
    downLimit: amountOf("limit"),
    leavesWhenDone: dictionary.getInteger("leaves") === 1,
  };
  return { type: "report", report };
}

function parseFloorChange(
  dictionary: BencodeDictionary,
  pieceCount: number,
): ParticipationMessage | undefined {
  const below = parseRanges(dictionary.getList("below"), pieceCount);
  const enough = parseRanges(dictionary.getList("enough"), pieceCount);
  if (below === undefined || enough === undefined) return undefined;
  const isFresh = dictionary.getInteger("fresh") === 1;
  return { type: "floor", change: { isFresh, below, enough } };
}

function partnerList({ sources, ownPeers, otherPeers }: BytesByPartner): BencodeInput {
  return [sources, ownPeers, otherPeers];
}

function rangeList(ranges: readonly PieceRange[]): BencodeInput {
  return ranges.flatMap(({ first, count }) => [first, count]);
}

function parsePartners(list: BencodeList | undefined): BytesByPartner | undefined {
  const [sources, ownPeers, otherPeers] = parseAmounts(list) ?? [];
  if (sources === undefined || ownPeers === undefined || otherPeers === undefined) return undefined;
  return { sources, ownPeers, otherPeers };
}

function parseRanges(
  list: BencodeList | undefined,
  pieceCount: number,
): readonly PieceRange[] | undefined {
  const amounts = parseAmounts(list);
  if (amounts === undefined || amounts.length % 2 !== 0) return undefined;
  const ranges: PieceRange[] = [];
  for (let i = 0; i < amounts.length; i += 2) {
    const first = amounts[i] as number;
    const count = amounts[i + 1] as number;
    if (count < 1 || first + count > pieceCount) return undefined;
    ranges.push({ first, count });
  }
  return ranges;
}

/** The numbers of a list, if all are integers from 0 that a number holds exactly. */
function parseAmounts(list: BencodeList | undefined): readonly number[] | undefined {
  if (list === undefined) return undefined;
  const amounts: number[] = [];
  for (const value of list) {
    if (typeof value !== "number" || value < 0) return undefined;
    amounts.push(value);
  }
  return amounts;
}
