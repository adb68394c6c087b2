/**
 * The ledger on disk: a folder for each torrent with numbered segments of JSON lines, and a
 * summary that covers everything up to a position in them.
 *
 * Each batch is one append. A process starts with a new segment, so that a line torn by a kill
 * stays the last of its segment and costs nothing but itself. A batch that could not be written
 * whole is cut off again.
 */
import { createReadStream } from "node:fs";
import {
  appendFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  unlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { parseInfoHash } from "../../base/bytes.ts";
import type { InfoHash, UnixMillis } from "../../base/units.ts";
import type { LedgerEntry } from "../../ports/content-service.ts";
import type { LedgerStore, LedgerSummary, StoredLedger } from "../../ports/ledger-store.ts";
import { diskError } from "./disk-error.ts";
import { encodeEntry, parseEntry, parseSummary } from "./ledger-format.ts";

const DAY_MS = 86_400_000;

/** Sizes and ages of segments. */
export interface FileLedgerOptions {
  /** Bytes from which on a segment gets no more. */
  readonly segmentBytes: number;
  /** Age from which on a segment gets no more, so that retention by age can drop it. */
  readonly segmentAgeMs: number;
  /** Entries older than this are dropped: they say who downloaded what. */
  readonly retentionMs: number;
  /** Bytes of one torrent's segments beyond which the oldest is dropped. */
  readonly maxBytes: number;
}

const defaultOptions: FileLedgerOptions = {
  segmentBytes: 64 * 1024 * 1024,
  segmentAgeMs: DAY_MS,
  retentionMs: 30 * DAY_MS,
  maxBytes: 1024 * 1024 * 1024,
};

/** The segment that is being written. */
interface OpenSegment {
  readonly number: number;
  /** Bytes of whole batches. */
  bytes: number;
  readonly startedAt: UnixMillis;
}

interface StoredSegment {
  readonly infoHash: InfoHash;
  readonly number: number;
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAt: UnixMillis;
}

/** A position in the segments of one torrent. */
interface Position {
  readonly segment: number;
  readonly bytes: number;
}

/** `LedgerStore` on a file system. One process only. */
export class FileLedgerStore implements LedgerStore {
  readonly #root: string;
  readonly #options: FileLedgerOptions;
  readonly #open = new Map<InfoHash, OpenSegment>();

  /** `root` is made when the first ledger is written. */
  constructor(root: string, options: Partial<FileLedgerOptions> = {}) {
    this.#root = root;
    this.#options = { ...defaultOptions, ...options };
  }

  async load(infoHash: InfoHash): Promise<StoredLedger> {
    const text = await readFile(this.#summaryPath(infoHash), "utf8").catch(() => "");
    const saved = parseSummary(text);
    const segments = await this.#segments(infoHash);
    const from: Position = saved ?? { segment: 0, bytes: 0 };
    return { summary: saved?.summary, tail: readSegments(segments, from) };
  }

  async append(infoHash: InfoHash, entries: readonly LedgerEntry[]): Promise<number> {
    const now = entries[entries.length - 1]?.at ?? 0;
    const bytes = Buffer.from(entries.map(encodeEntry).join(""), "latin1");
    const segment = await this.#segmentToWrite(infoHash, now);
    const path = this.#segmentPath(infoHash, segment.number);
    try {
      await appendFile(path, bytes);
    } catch (cause) {
      // A batch is in the ledger whole or not at all: it will be written again.
      await truncate(path, segment.bytes).catch(() => this.#open.delete(infoHash));
      throw diskError(cause, "write", path);
    }
    segment.bytes += bytes.length;
    return bytes.length;
  }

  async saveSummary(infoHash: InfoHash, summary: LedgerSummary): Promise<void> {
    const open = this.#open.get(infoHash);
    if (open === undefined) return;
    const path = this.#summaryPath(infoHash);
    const saved = { version: 1, segment: open.number, bytes: open.bytes, summary };
    try {
      await writeFile(`${path}.new`, JSON.stringify(saved));
      await rename(`${path}.new`, path);
    } catch (cause) {
      throw diskError(cause, "write", path);
    }
  }

  async read(infoHash: InfoHash, since: UnixMillis): Promise<AsyncIterable<LedgerEntry>> {
    const segments = await this.#segments(infoHash);
    // A day's margin, for wall clocks that were set.
    const recent = segments.filter((segment) => segment.modifiedAt >= since - DAY_MS);
    return entriesSince(readSegments(recent, { segment: 0, bytes: 0 }), since);
  }

  async expire(infoHash: InfoHash, now: UnixMillis): Promise<void> {
    const openNumber = this.#open.get(infoHash)?.number;
    const segments = await this.#segments(infoHash);
    let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    for (const segment of segments) {
      const isOld = segment.modifiedAt < now - this.#options.retentionMs;
      if (!isOld && bytes <= this.#options.maxBytes) return;
      if (segment.number === openNumber) this.#open.delete(infoHash);
      await unlink(segment.path).catch((cause: unknown) => {
        throw diskError(cause, "remove", segment.path);
      });
      bytes -= segment.bytes;
    }
  }

  async remove(infoHash: InfoHash): Promise<void> {
    this.#open.delete(infoHash);
    const folder = this.#folder(infoHash);
    await rm(folder, { recursive: true, force: true }).catch((cause: unknown) => {
      throw diskError(cause, "remove", folder);
    });
  }

  async prune(kept: ReadonlySet<InfoHash>): Promise<void> {
    for (const name of await readdir(this.#root).catch(() => [])) {
      const infoHash = parseInfoHash(name);
      if (infoHash !== undefined && !kept.has(infoHash)) await this.remove(infoHash);
    }
  }

  async #segmentToWrite(infoHash: InfoHash, now: UnixMillis): Promise<OpenSegment> {
    const open = this.#open.get(infoHash);
    const { segmentBytes, segmentAgeMs } = this.#options;
    if (open !== undefined && open.bytes < segmentBytes && now - open.startedAt < segmentAgeMs) {
      return open;
    }
    const folder = this.#folder(infoHash);
    await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
      throw diskError(cause, "create", folder);
    });
    if (open !== undefined) await this.expire(infoHash, now);
    const segments = await this.#segments(infoHash);
    const number = Math.max(segments.at(-1)?.number ?? 0, open?.number ?? 0) + 1;
    const next = { number, bytes: 0, startedAt: now };
    this.#open.set(infoHash, next);
    return next;
  }

  /** Oldest first. */
  async #segments(infoHash: InfoHash): Promise<readonly StoredSegment[]> {
    const segments: StoredSegment[] = [];
    for (const name of await readdir(this.#folder(infoHash)).catch(() => [])) {
      const number = /^(\d{8})\.jsonl$/.exec(name)?.[1];
      if (number === undefined) continue;
      const path = join(this.#folder(infoHash), name);
      const stats = await stat(path).catch(() => undefined);
      // Retention dropped it just now.
      if (stats === undefined) continue;
      const { size: bytes, mtimeMs: modifiedAt } = stats;
      segments.push({ infoHash, number: Number(number), path, bytes, modifiedAt });
    }
    return segments.sort((a, b) => a.number - b.number);
  }

  #folder(infoHash: InfoHash): string {
    return join(this.#root, infoHash);
  }

  #segmentPath(infoHash: InfoHash, number: number): string {
    return join(this.#folder(infoHash), `${String(number).padStart(8, "0")}.jsonl`);
  }

  #summaryPath(infoHash: InfoHash): string {
    return join(this.#folder(infoHash), "summary.json");
  }
}

async function* readSegments(
  segments: readonly StoredSegment[],
  from: Position,
): AsyncIterable<LedgerEntry> {
  for (const segment of segments) {
    if (segment.number < from.segment) continue;
    const start = segment.number === from.segment ? from.bytes : 0;
    if (start < segment.bytes) yield* readEntries(segment, start);
  }
}

/** The entries of a segment from byte `start` on. If retention drops it meanwhile, it ends. */
async function* readEntries(segment: StoredSegment, start: number): AsyncIterable<LedgerEntry> {
  const { path, infoHash } = segment;
  const stream = createReadStream(path, { start, end: segment.bytes - 1, encoding: "latin1" });
  let rest = "";
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const entry = parseEntry(line, infoHash);
        if (entry !== undefined) yield entry;
      }
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw diskError(cause, "read", path);
  }
}

async function* entriesSince(
  entries: AsyncIterable<LedgerEntry>,
  since: UnixMillis,
): AsyncIterable<LedgerEntry> {
  for await (const entry of entries) if (entry.at >= since) yield entry;
}
