/**
 * How `btpublisher publish` gets content to a server: by its path when the server is on this
 * machine and may read it, else by an upload that goes on where it was cut.
 */
import { createReadStream } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { diskError } from "../adapters/node/disk-error.ts";
import { DiskContentInspector } from "../adapters/node/content-inspector.ts";
import { DiskPool } from "../adapters/node/disk-pool.ts";
import { BtPublisherError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import type { ContentTree } from "../ports/content-inspector.ts";
import { type ApiClient, errorFrom, type Json } from "./api-client.ts";
import type { ServerAccess } from "./server-access.ts";

/** What to publish, and how. */
export interface PublishJob {
  readonly path: string;
  readonly name: string | undefined;
  /** Send a copy even to a server that could read the path itself. */
  readonly isCopy: boolean;
  /** As in the API; undefined: the default. */
  readonly policy: object | undefined;
  /** As in the API; undefined: for everybody. */
  readonly access: object | undefined;
  readonly pieceLength: number | undefined;
  /** A .torrent file whose info hash is to be kept. */
  readonly torrent: Uint8Array | undefined;
}

/** What is being done, and how far it is. */
export type PublishStage = "upload" | "hash";

/** Hears how it goes on. */
export interface PublishListener {
  /** Bytes done of bytes to do. */
  readonly onProgress: (stage: PublishStage, bytes: number, total: number) => void;
  /** The server cannot be reached, as `error` says; it is tried again in `waitMs`. */
  readonly onWaiting: (error: BtPublisherError, waitMs: Millis) => void;
}

/** Pauses after a cut, before the upload is tried again; together a server's restart fits. */
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000] as const;

/** What waiting for a server takes. */
interface Patience {
  readonly api: ApiClient;
  readonly listener: PublishListener;
}

/** Refusals of a path that an upload may overcome: the server cannot get at it. */
const UNREADABLE = new Set(["NO_INPUT", "STORAGE_IO"]);

/** Refusals of the server's own paths to whoever may still upload. */
const FOR_OTHERS = new Set(["NOT_LOCAL", "NO_RIGHT"]);

/** Publishes, and returns the API's `published` event. */
export async function publishContent(
  { api, isLocal }: ServerAccess,
  job: PublishJob,
  listener: PublishListener,
): Promise<Json> {
  const pool = new DiskPool();
  const tree = await new DiskContentInspector(pool).scan(job.path);
  await pool.close();
  if (isLocal && !job.isCopy) {
    const published = await publishPath(api, job, listener);
    if (published !== undefined) return published;
  }
  const name = await upload(api, { tree, job }, listener);
  const body = { pieceLength: job.pieceLength };
  const path = `/api/v1/publications/${name}/publish`;
  const patience = { api, listener };
  return retrying(patience, () => followPublishing(api.lines("POST", path, body), listener));
}

/** Undefined when the server cannot read the path. */
async function publishPath(
  api: ApiClient,
  job: PublishJob,
  listener: PublishListener,
): Promise<Json | undefined> {
  const { name, policy, access, pieceLength } = job;
  const torrent = torrentOf(job);
  const body = { path: resolve(job.path), name, policy, access, pieceLength, torrent };
  try {
    return await followPublishing(api.lines("POST", "/api/v1/local-publications", body), listener);
  } catch (error) {
    if (!(error instanceof BtPublisherError)) throw error;
    const isForOthers = FOR_OTHERS.has(String(error.detail["reason"]));
    if (UNREADABLE.has(error.code) || isForOthers) return undefined;
    throw error;
  }
}

/** Sends what the server lacks. @returns the publication's name. */
async function upload(
  api: ApiClient,
  { tree, job }: { readonly tree: ContentTree; readonly job: PublishJob },
  listener: PublishListener,
): Promise<string> {
  const { contentName, isDirectory, files } = tree;
  const { name: wantedName, policy, access } = job;
  const torrent = torrentOf(job);
  const plan = { name: wantedName, contentName, isDirectory, files, policy, access, torrent };
  const planned = await api.json("POST", "/api/v1/publications", plan);
  const name = String(planned["name"]);
  const received = planned["receivedBytes"] as readonly number[];
  const total = files.reduce((sum, { length }) => sum + length, 0);
  let before = 0;
  for (const [index, { path, length }] of files.entries()) {
    const begun = before;
    const file = {
      place: `/api/v1/publications/${name}/files/${index}`,
      source: isDirectory ? join(tree.path, ...path) : tree.path,
      length,
    };
    await sendFile({ api, listener }, file, received[index] ?? 0, (offset) =>
      listener.onProgress("upload", begun + offset, total),
    );
    before += length;
  }
  return name;
}

/** As the API takes it. */
function torrentOf({ torrent }: PublishJob): string | undefined {
  return torrent && Buffer.from(torrent).toString("base64");
}

interface FileToSend {
  /** Where it goes to, at the server. */
  readonly place: string;
  /** Where it lies. */
  readonly source: string;
  readonly length: number;
}

/** Sends a file from byte `offset` on, through cuts; `onOffset` hears how far it is. */
async function sendFile(
  patience: Patience,
  file: FileToSend,
  offset: number,
  onOffset: (offset: number) => void,
): Promise<void> {
  const { api } = patience;
  let from = offset;
  let attempt = 0;
  while (from < file.length) {
    try {
      const body = bytesOf(file, from, onOffset);
      await api.append(file.place, from, { body, length: file.length - from });
      return;
    } catch (error) {
      // After a cut the server may be busy with the old connection for a moment: a conflict, too.
      const isCut = isUnavailable(error) || (isConflict(error) && attempt > 0);
      if (!isCut) throw error;
      if (attempt === RETRY_MS.length) throw toGoOnLater(error);
      await pause(patience, attempt, error);
      const kept = await retrying(patience, () => api.head(file.place, "upload-offset"));
      attempt = Number(kept) > from ? 1 : attempt + 1;
      from = Number(kept);
    }
  }
}

/** The bytes of a file from `from` on, exactly as many as were planned. */
async function* bytesOf(
  { source, length }: FileToSend,
  from: number,
  onOffset: (offset: number) => void,
): AsyncIterable<Uint8Array> {
  let offset = from;
  // To the planned length: a file that grew meanwhile is not what was planned.
  const stream = createReadStream(source, { start: from, end: length - 1, highWaterMark: 2 ** 20 });
  try {
    for await (const part of stream as AsyncIterable<Buffer>) {
      yield part;
      offset += part.length;
      onOffset(offset);
    }
  } catch (cause) {
    throw diskError(cause, "read", source);
  }
  if (offset === length) return;
  const message = `${source} became shorter while it was being sent: publish it again`;
  throw new BtPublisherError("STORAGE_CHANGED", message, { detail: { path: source } });
}

/** The `published` event at the end of `lines`. */
async function followPublishing(
  lines: AsyncIterable<Json>,
  { onProgress }: PublishListener,
): Promise<Json> {
  for await (const line of lines) {
    if (line["event"] === "published") return line;
    if (line["event"] === "error") throw errorFrom(line);
    onProgress("hash", Number(line["bytes"]), Number(line["total"]));
  }
  throw new BtPublisherError("UNAVAILABLE", "the server ended before all was done");
}

/** Runs `work` again while the server cannot be reached, with longer and longer pauses. */
async function retrying<Value>(patience: Patience, work: () => Promise<Value>): Promise<Value> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      if (attempt === RETRY_MS.length) throw toGoOnLater(error);
      await pause(patience, attempt, error);
    }
  }
}

async function pause(
  { api, listener }: Patience,
  attempt: number,
  why: BtPublisherError,
): Promise<void> {
  const waitMs = RETRY_MS[attempt] ?? 0;
  listener.onWaiting(why, waitMs);
  try {
    await sleep(waitMs, undefined, { signal: api.signal });
  } catch {
    throw new BtPublisherError("CANCELLED", "stopped before the work was done");
  }
}

function isUnavailable(error: unknown): error is BtPublisherError {
  return error instanceof BtPublisherError && error.code === "UNAVAILABLE";
}

/** What is said when a server stays away: what it has it keeps. */
function toGoOnLater(error: unknown): unknown {
  if (!isUnavailable(error)) return error;
  const message = `${error.message}; run it again to go on where it was cut`;
  return new BtPublisherError(error.code, message, { detail: error.detail, cause: error });
}

function isConflict(error: unknown): error is BtPublisherError {
  return error instanceof BtPublisherError && error.code === "CONFLICT";
}
