/**
 * Reads the requests that a tracker gets a hundred thousand times a second, GET without a body, where
 * they lie. What it does not know in full detail it leaves to a whole HTTP server, so it may know
 * little, and two readers can never disagree about where a request ends (HTP-30).
 */

/** A request that was read; filled anew by each one. */
export class PlainGet {
  /** Where the target is: its path begins here, */
  pathStart = 0;
  /** and ends here, at a question mark or a space. */
  pathEnd = 0;
  /** The query, without its question mark; empty when there is none. */
  queryStart = 0;
  queryEnd = 0;
  /** Where the next request begins. */
  end = 0;
  /** The client wants the connection closed. */
  isLast = false;
}

/** What the bytes are. */
export type PlainGetVerdict =
  | "read"
  /** So far so good: read again when there is more. */
  | "unfinished"
  /** Something else, or odd: for an HTTP server. */
  | "other";

const CR = 13;
const LF = 10;
const SPACE = 32;
const COLON = 0x3a;
const QUESTION = 0x3f;

/** Heads are read up to this many bytes. */
export const MAX_PLAIN_HEAD = 8 * 1024;
/** Targets up to this many. */
const MAX_TARGET = 4096;

const version = " HTTP/1.1";

/** Headers that make a request more than a plain one, and those that are looked at. */
const names = {
  4: ["host"],
  6: ["expect"],
  7: ["upgrade"],
  10: ["connection"],
  14: ["content-length"],
  17: ["transfer-encoding"],
} as Readonly<Record<number, readonly string[]>>;

/**
 * Reads one request for `prefix` (a method, a space and how the path begins) from `start` on.
 * `target` is filled when the verdict is "read".
 */
export function readPlainGet(
  bytes: Uint8Array,
  start: number,
  prefix: Uint8Array,
  target: PlainGet,
): PlainGetVerdict {
  const { length } = bytes;
  const known = Math.min(prefix.length, length - start);
  for (let i = 0; i < known; i++) if (bytes[start + i] !== prefix[i]) return "other";
  if (known < prefix.length) return "unfinished";
  const lineEnd = readTarget(bytes, start, target);
  if (lineEnd < 0) return lineEnd === UNFINISHED ? unfinished(bytes, start) : "other";
  return readHeaders(bytes, lineEnd, start, target);
}

const UNFINISHED = -1;
const OTHER = -2;

/** Reads the request line; returns where the headers begin, or why not. */
function readTarget(bytes: Uint8Array, start: number, target: PlainGet): number {
  let at = start;
  // The prefix has the method's space.
  while (bytes[at] !== SPACE) at++;
  target.pathStart = ++at;
  const stop = Math.min(bytes.length, at + MAX_TARGET);
  let queryAt = -1;
  for (; at < stop; at++) {
    const byte = bytes[at] as number;
    if (byte === SPACE) break;
    if (byte < SPACE || byte === 0x7f) return OTHER;
    if (byte === QUESTION && queryAt < 0) queryAt = at;
  }
  if (at === stop) return stop === bytes.length ? UNFINISHED : OTHER;
  target.pathEnd = queryAt < 0 ? at : queryAt;
  target.queryStart = queryAt < 0 ? at : queryAt + 1;
  target.queryEnd = at;
  for (let i = 0; i < version.length; i++, at++) {
    if (at === bytes.length) return UNFINISHED;
    if (bytes[at] !== version.charCodeAt(i)) return OTHER;
  }
  return endOfLine(bytes, at);
}

/** Behind the line break that must be at `at`, or why not. */
function endOfLine(bytes: Uint8Array, at: number): number {
  if (at + 1 >= bytes.length) return UNFINISHED;
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : OTHER;
}

function unfinished(bytes: Uint8Array, start: number): PlainGetVerdict {
  return bytes.length - start > MAX_PLAIN_HEAD ? "other" : "unfinished";
}

function readHeaders(
  bytes: Uint8Array,
  lineStart: number,
  start: number,
  target: PlainGet,
): PlainGetVerdict {
  let hosts = 0;
  target.isLast = false;
  for (let at = lineStart; ; ) {
    if (bytes[at] === CR) {
      target.end = endOfLine(bytes, at);
      if (target.end === UNFINISHED) return unfinished(bytes, start);
      return target.end === OTHER || hosts !== 1 ? "other" : "read";
    }
    const nameStart = at;
    while (at < bytes.length && isToken(bytes[at] as number)) at++;
    if (at >= bytes.length) return unfinished(bytes, start);
    if (bytes[at] !== COLON || at === nameStart) return "other";
    const name = nameAt(bytes, nameStart, at);
    const valueStart = ++at;
    while (at < bytes.length && isText(bytes[at] as number)) at++;
    if (at >= bytes.length) return unfinished(bytes, start);
    if (name === "host") hosts++;
    else if (name === "connection") {
      const isClose = holds(bytes, valueStart, at, "close");
      if (!isClose && !holds(bytes, valueStart, at, "keep-alive")) return "other";
      target.isLast = isClose;
    } else if (name !== undefined) return "other";
    at = endOfLine(bytes, at);
    if (at === UNFINISHED) return unfinished(bytes, start);
    if (at === OTHER) return "other";
  }
}

/** Letters, digits and what else may be in names of headers that anybody sends. */
function isToken(byte: number): boolean {
  const letter = byte | 0x20;
  const isDigit = byte >= 0x30 && byte <= 0x39;
  return (letter >= 0x61 && letter <= 0x7a) || byte === 0x2d || isDigit || byte === 0x5f;
}

function isText(byte: number): boolean {
  return (byte >= SPACE && byte !== 0x7f) || byte === 9;
}

function nameAt(bytes: Uint8Array, start: number, end: number): string | undefined {
  return names[end - start]?.find((name) => holds(bytes, start, end, name));
}

/** Whether `text`, in lower case, is all there is, in any case, blanks around it left out. */
function holds(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  let from = start;
  let to = end;
  while (from < to && bytes[from] === SPACE) from++;
  while (to > from && bytes[to - 1] === SPACE) to--;
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[from + i] as number;
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== text.charCodeAt(i)) return false;
  }
  return true;
}
