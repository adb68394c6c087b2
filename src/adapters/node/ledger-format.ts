/**
 * The ledger's lines and its saved summary as text. A line is one JSON array,
 * `[at, door, peerId, address, pieceIndex, bytes]`; the torrent is the folder's.
 * Reading trusts nothing: what is torn or edited is left out.
 */
import type { InfoHash } from "../../base/units.ts";
import type { Door, LedgerEntry } from "../../ports/content-service.ts";
import type { LedgerSummary, NodeBytes } from "../../ports/ledger-store.ts";

const doors: readonly string[] = ["bittorrent", "webseed", "webrtc", "http"] satisfies Door[];

/** A summary and the position in the segments that it covers. */
export interface SavedSummary {
  readonly segment: number;
  readonly bytes: number;
  readonly summary: LedgerSummary;
}

/** One line, with its end. ASCII. */
export function encodeEntry(entry: LedgerEntry): string {
  const { at, door, peerId, address, pieceIndex, bytes } = entry;
  return `${JSON.stringify([at, door, peerId, address, pieceIndex, bytes])}\n`;
}

/** The entry of a line without its end, or undefined when it is not a whole entry. */
export function parseEntry(line: string, infoHash: InfoHash): LedgerEntry | undefined {
  const values = parseJson(line);
  if (!Array.isArray(values) || values.length !== 6) return undefined;
  const [at, door, peerId, address, pieceIndex, bytes] = values as readonly unknown[];
  if (!isCount(at) || !isDoor(door) || !isPeerId(peerId) || !isAddress(address)) return undefined;
  if (!isCount(pieceIndex) || !isCount(bytes)) return undefined;
  return { at, infoHash, door, peerId, address, pieceIndex, bytes };
}

/** The saved summary in `text`, or undefined when it is not one of ours. */
export function parseSummary(text: string): SavedSummary | undefined {
  const saved = parseJson(text);
  if (!isRecord(saved) || saved["version"] !== 1) return undefined;
  const { segment, bytes, summary } = saved;
  if (!isCount(segment) || !isCount(bytes) || !isSummary(summary)) return undefined;
  return { segment, bytes, summary };
}

function isSummary(value: unknown): value is LedgerSummary {
  if (!isRecord(value)) return false;
  const { sentBytes, bytesByDoor, nodes, otherNodesBytes, pieceBytes } = value;
  return (
    isCount(sentBytes) &&
    isRecord(bytesByDoor) &&
    doors.every((door) => isCount(bytesByDoor[door])) &&
    Array.isArray(nodes) &&
    nodes.every(isNodeBytes) &&
    isCount(otherNodesBytes) &&
    Array.isArray(pieceBytes) &&
    pieceBytes.every(isCount)
  );
}

function isNodeBytes(value: unknown): value is NodeBytes {
  return (
    isRecord(value) &&
    isDoor(value["door"]) &&
    isPeerId(value["peerId"]) &&
    isAddress(value["address"]) &&
    isCount(value["bytes"])
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isDoor(value: unknown): value is Door {
  return typeof value === "string" && doors.includes(value);
}

function isPeerId(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{0,40}$/.test(value);
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,80}$/.test(value);
}
