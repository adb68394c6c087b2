/**
 * Announces and scrapes over HTTP as a tracker receives them (BEP 3, 21, 23, 48): query strings to
 * values. Strict where a wrong value would do harm, and deaf to `ip`: a peer's address is that of
 * its connection.
 *
 * A hot path: it reads the bytes of the request where they lie, once, and makes nothing.
 */
import { infoHashOf, latin1Bytes } from "../../base/bytes.ts";
import { fail, ok, type Result } from "../../base/errors.ts";
import type { InfoHash } from "../../base/units.ts";
import type { Announce } from "./announce.ts";

/** Hashes of one scrape that are answered; the rest is left out, as other trackers do. */
export const MAX_SCRAPE_HASHES = 100;

// A parameter goes by its number here.
const names = [
  "info_hash",
  "peer_id",
  "port",
  "uploaded",
  "downloaded",
  "left",
  "event",
  "numwant",
  "compact",
  "no_peer_id",
] as const;
const [INFO_HASH, PEER_ID, PORT, UPLOADED, DOWNLOADED, LEFT, EVENT, NUM_WANT, COMPACT, NO_PEER_ID] =
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
const nameBytes = names.map((name) => latin1Bytes(name));

const AND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const MINUS = 0x2d;

// Where each parameter's value lies; begin −1: not there. Shared: nothing here waits.
const begins = new Int32Array(names.length);
const ends = new Int32Array(names.length);
/** Stands for a value that is there twice: readers differ in which one they take. */
const TWICE = -2;

/**
 * Reads what follows the question mark of an announce, `bytes` from `start` to `end`, into
 * `announce`. Returns undefined, or the failure reason to answer; then `announce` is half filled.
 */
export function readAnnounceQuery(
  bytes: Uint8Array,
  start: number,
  end: number,
  announce: Announce,
): string | undefined {
  findParameters(bytes, start, end);
  if (begins[INFO_HASH] === -1) return "missing info_hash";
  if (!readBytes(bytes, INFO_HASH, announce.infoHash)) return "invalid info_hash";
  if (!readBytes(bytes, PEER_ID, announce.peerId)) return "invalid peer_id";
  const port = readCount(bytes, PORT);
  if (port < 1 || port > 65_535) return "invalid port";
  announce.port = port;
  announce.uploaded = begins[UPLOADED] === -1 ? 0 : readCount(bytes, UPLOADED);
  if (announce.uploaded < 0) return "invalid uploaded";
  announce.downloaded = begins[DOWNLOADED] === -1 ? 0 : readCount(bytes, DOWNLOADED);
  if (announce.downloaded < 0) return "invalid downloaded";
  announce.left = begins[LEFT] === -1 ? undefined : readCount(bytes, LEFT);
  if (announce.left !== undefined && announce.left < 0) return "invalid left";
  if (!readEvent(bytes, announce)) return "invalid event";
  if (!readNumWant(bytes, announce)) return "invalid numwant";
  announce.isCompact = !isDigit(bytes, COMPACT, 0x30);
  announce.wantsPeerIds = !announce.isCompact && !isDigit(bytes, NO_PEER_ID, 0x31);
  return undefined;
}

/** Parses what follows the question mark of a scrape: the hashes asked for, without repetitions. */
export function parseScrapeQuery(query: Uint8Array): Result<readonly InfoHash[], "bad-query"> {
  const hashes = new Set<InfoHash>();
  const hash = new Uint8Array(20);
  for (let at = 0; at < query.length && hashes.size < MAX_SCRAPE_HASHES; ) {
    const end = endOf(query, at, query.length, AND);
    const equals = endOf(query, at, end, EQUALS);
    if (equals < end && nameAt(query, at, equals) === INFO_HASH) {
      begins[INFO_HASH] = equals + 1;
      ends[INFO_HASH] = end;
      if (!readBytes(query, INFO_HASH, hash)) return fail("bad-query", "invalid info_hash");
      hashes.add(infoHashOf(hash));
    }
    at = end + 1;
  }
  return hashes.size === 0 ? fail("bad-query", "full scrape disabled") : ok([...hashes]);
}

function findParameters(bytes: Uint8Array, start: number, end: number): void {
  begins.fill(-1);
  for (let at = start; at < end; ) {
    let equals = -1;
    let stop = at;
    for (; stop < end && bytes[stop] !== AND; stop++) {
      if (bytes[stop] === EQUALS && equals < 0) equals = stop;
    }
    const name = equals < 0 ? -1 : nameAt(bytes, at, equals);
    if (name >= 0) {
      begins[name] = begins[name] === -1 ? equals + 1 : TWICE;
      ends[name] = stop;
    }
    at = stop + 1;
  }
}

/** Number of the parameter whose name is there, or −1. */
function nameAt(bytes: Uint8Array, start: number, end: number): number {
  for (let i = 0; i < nameBytes.length; i++) {
    const name = nameBytes[i] as Uint8Array;
    if (name.length !== end - start || name[0] !== bytes[start]) continue;
    let length = 1;
    while (length < name.length && name[length] === bytes[start + length]) length++;
    if (length === name.length) return i;
  }
  return -1;
}

/** Where `byte` is between `start` and `end`, else `end`. */
function endOf(bytes: Uint8Array, start: number, end: number, byte: number): number {
  let at = start;
  while (at < end && bytes[at] !== byte) at++;
  return at;
}

/** A decimal integer, at most what a number holds exactly; −1 when it is none, or there twice. */
function readCount(bytes: Uint8Array, name: number): number {
  const begin = begins[name] as number;
  const end = ends[name] as number;
  if (begin < 0 || begin === end) return -1;
  let value = 0;
  for (let at = begin; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = Math.min(value * 10 + digit, Number.MAX_SAFE_INTEGER);
  }
  return value;
}

function readNumWant(bytes: Uint8Array, announce: Announce): boolean {
  announce.numWant = undefined;
  const begin = begins[NUM_WANT] as number;
  if (begin === -1) return true;
  // Any negative number leaves it to the tracker.
  const isNegative = begin >= 0 && bytes[begin] === MINUS;
  if (isNegative) begins[NUM_WANT] = begin + 1;
  const value = readCount(bytes, NUM_WANT);
  if (value < 0) return false;
  if (!isNegative) announce.numWant = value;
  return true;
}

function readEvent(bytes: Uint8Array, announce: Announce): boolean {
  announce.event = undefined;
  if (begins[EVENT] === -1 || begins[EVENT] === ends[EVENT]) return true;
  if (isText(bytes, EVENT, "started")) announce.event = "started";
  else if (isText(bytes, EVENT, "stopped")) announce.event = "stopped";
  else if (isText(bytes, EVENT, "completed")) announce.event = "completed";
  // A peer that waits with part of the content, on purpose (BEP 21): nothing to do for us.
  else return isText(bytes, EVENT, "paused");
  return true;
}

function isText(bytes: Uint8Array, name: number, text: string): boolean {
  const begin = begins[name] as number;
  if (begin < 0 || (ends[name] as number) - begin !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[begin + i] !== text.charCodeAt(i)) return false;
  return true;
}

function isDigit(bytes: Uint8Array, name: number, digit: number): boolean {
  const begin = begins[name] as number;
  return begin >= 0 && (ends[name] as number) - begin === 1 && bytes[begin] === digit;
}

/** Exactly as many bytes as `target` holds, escaped or not; a plus is a plus: this is no form. */
function readBytes(bytes: Uint8Array, name: number, target: Uint8Array): boolean {
  const end = ends[name] as number;
  let at = begins[name] as number;
  if (at < 0 || end - at > 3 * target.length) return false;
  let filled = 0;
  for (; at < end; at++) {
    let byte = bytes[at] as number;
    if (byte === PERCENT) {
      if (at + 2 >= end) return false;
      byte = (hexDigit(bytes[at + 1] as number) << 4) | hexDigit(bytes[at + 2] as number);
      at += 2;
    }
    if (filled === target.length || byte < 0) return false;
    target[filled++] = byte;
  }
  return filled === target.length;
}

/** The value of a hexadecimal digit, negative when it is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -4096;
}
