/** Torrents as commands name them: .torrent files, and the folder that their content lies in. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { sha1 } from "../adapters/node/disk-hash.ts";
import { BtPublisherError } from "../base/errors.ts";
import { MAX_TORRENT_BYTES } from "../protocol/metainfo/limits.ts";
import type { Info, Metainfo } from "../protocol/metainfo/metainfo.ts";
import { parseMetainfo } from "../protocol/metainfo/parse.ts";

/** How this system wants torrents parsed. */
export const parseOptions = {
  sha1,
  nameRules: process.platform === "win32" ? "windows" : "posix",
} as const;

/**
 * The torrent in the file at `path`.
 * @throws BtPublisherError NO_INPUT when it cannot be read; USAGE for a URL; BENC_… and META_… when
 * it is bad.
 */
export async function readTorrentFile(path: string): Promise<Metainfo> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(path)?.[1];
  if (scheme !== undefined) throw notAFile(path, scheme.toLowerCase());
  return parseTorrent(await readTorrentBytes(path), path);
}

/** The torrent in `bytes`, which came from `origin`. @throws BtPublisherError BENC_…, META_… */
export function parseTorrent(bytes: Uint8Array, origin: string): Metainfo {
  const parsed = parseMetainfo(bytes, parseOptions);
  if (parsed.ok) return parsed.value;
  throw new BtPublisherError(parsed.code, `${origin}: ${parsed.message}`, { detail: { origin } });
}

/**
 * The folder that `info`'s content lies in, where people name either that folder or the content
 * itself.
 */
export async function contentDirectory(info: Info, given: string): Promise<string> {
  const path = resolve(given);
  if (basename(path) !== info.name || (await exists(join(path, info.name)))) return path;
  return dirname(path);
}

/** The bytes of a .torrent file. @throws BtPublisherError NO_INPUT, META_SIZE */
export async function readTorrentBytes(path: string): Promise<Uint8Array> {
  try {
    const parts: Buffer[] = [];
    let length = 0;
    // By what comes, not by what the file system says: a device says 0 and never ends.
    for await (const part of createReadStream(path, { end: MAX_TORRENT_BYTES })) {
      parts.push(part as Buffer);
      length += (part as Buffer).length;
    }
    if (length > MAX_TORRENT_BYTES) {
      const message = `${path} has more than ${MAX_TORRENT_BYTES} bytes: it is no .torrent file`;
      throw new BtPublisherError("META_SIZE", message, { detail: { path } });
    }
    return Buffer.concat(parts);
  } catch (cause) {
    if (cause instanceof BtPublisherError) throw cause;
    const message = `cannot read ${path}: ${(cause as Error).message}`;
    throw new BtPublisherError("NO_INPUT", message, { detail: { path }, cause });
  }
}

/** `get` and `inspect` have taken http and https before they ask for a file. */
function notAFile(url: string, scheme: string): BtPublisherError {
  const message = /^https?$/.test(scheme)
    ? `${url} is a URL, and a .torrent file is needed here: download it first`
    : `${scheme}: URLs cannot be read: give a .torrent file, an http or https URL, or a magnet link`;
  return new BtPublisherError("USAGE", message, { detail: { url } });
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
