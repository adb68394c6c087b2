/** A whole .torrent file (BEP 3, 12, 19): the info dictionary and what stands around it. */
import { fail, type MetainfoErrorCode, ok, type Result } from "../../base/errors.ts";
import { decodeBencode } from "../bencode/decode.ts";
import { BencodeDictionary } from "../bencode/value.ts";
import { parseWebSeedUrl, readAnnounceTiers, readWebSeeds } from "./announce-urls.ts";
import { displayText } from "./display-text.ts";
import { MAX_TORRENT_BYTES } from "./limits.ts";
import type { Metainfo } from "./metainfo.ts";
import { type ParseOptions, readInfo } from "./parse-info.ts";

export { type ParseOptions, parseInfo } from "./parse-info.ts";

/** Bytes of a comment that are kept: it is shown, and nobody reads more. */
const MAX_COMMENT_BYTES = 4096;

/** The last second of the year 9999, the last that all calendars can show. */
const MAX_CREATION_DATE = 253_402_300_799;

/**
 * The .torrent file that `bytes` are, or why not (BENC_* and META_* codes). The result has views of
 * `bytes`, which must not change afterwards.
 */
export function parseMetainfo(
  bytes: Uint8Array,
  options: ParseOptions,
): Result<Metainfo, MetainfoErrorCode> {
  const { isStrict = false } = options;
  if (bytes.length > MAX_TORRENT_BYTES) {
    return fail("META_SIZE", `the .torrent file has more than ${MAX_TORRENT_BYTES} bytes`);
  }
  // Editors and web pages leave a newline at the end; a dictionary never ends with one.
  const isPadded = !isStrict && bytes.at(-1) === 0x0a;
  const torrent = decodeBencode(isPadded ? bytes.subarray(0, -1) : bytes, { isStrict });
  if (!torrent.ok) return fail(torrent.code, `this is not a .torrent file: ${torrent.message}`);
  if (!(torrent.value instanceof BencodeDictionary)) {
    return fail("META_TYPE", "this is not a .torrent file: it is no dictionary");
  }
  return readMetainfo(torrent.value, options);
}

function readMetainfo(
  torrent: BencodeDictionary,
  options: ParseOptions,
): Result<Metainfo, MetainfoErrorCode> {
  const raw = torrent.rawOf("info");
  if (raw === undefined) {
    return fail("META_INFO_MISSING", "the .torrent file has no info dictionary");
  }
  const dictionary = torrent.getDictionary("info");
  if (dictionary === undefined) return fail("META_TYPE", "the info dictionary is no dictionary");
  const info = readInfo(dictionary, raw, options);
  if (!info.ok) return info;
  const announceTiers = readAnnounceTiers(torrent, options.isStrict ?? false);
  if (!announceTiers.ok) return announceTiers;
  return ok({
    info: info.value,
    announceTiers: announceTiers.value,
    webSeeds: readWebSeeds(torrent),
    ...readTicketUrl(torrent),
    comment: readText(torrent, "comment"),
    createdBy: readText(torrent, "created by"),
    creationDate: readCreationDate(torrent),
  });
}

function readTicketUrl(torrent: BencodeDictionary): Pick<Metainfo, "ticketUrl"> {
  const text = torrent.getDictionary("btpublisher")?.getText("ticket");
  // As web seeds: HTTP, without a name and a password in it.
  const ticketUrl = text === undefined ? undefined : parseWebSeedUrl(text);
  return ticketUrl === undefined ? {} : { ticketUrl };
}

function readText(torrent: BencodeDictionary, key: string): string | undefined {
  const bytes = torrent.getBytes(`${key}.utf-8`) ?? torrent.getBytes(key);
  return bytes === undefined ? undefined : displayText(bytes, MAX_COMMENT_BYTES);
}

function readCreationDate(torrent: BencodeDictionary): number | undefined {
  const seconds = torrent.getInteger("creation date");
  if (seconds === undefined || seconds < 0 || seconds > MAX_CREATION_DATE) return undefined;
  return seconds;
}
