/**
 * Tracker and web seed URLs of a torrent or magnet link: which are fit to be tried at all. Purely
 * by their text; whether an address may be dialled is for the one who dials to decide.
 */
import { parseUtf8 } from "../../base/bytes.ts";
import { fail, type MetainfoErrorCode, ok, type Result } from "../../base/errors.ts";
import { parseIp } from "../../base/ip-address.ts";
import { escapeUrl, parseUrl, type UrlParts } from "../../base/url.ts";
import { type BencodeDictionary, BencodeList, type BencodeValue } from "../bencode/value.ts";

/** Trackers, and web seeds, that a torrent may bring; the rest is dropped. */
export const MAX_URLS = 100;

/** Entries that are looked at, fit or not: a bound on the work that a list can make. */
const MAX_ENTRIES = 1000;

/** Characters of a URL; longer ones are no address but a burden for logs and headers. */
const MAX_URL_LENGTH = 2048;

const trackerSchemes: readonly string[] = ["http", "https", "udp", "ws", "wss"];
const webSeedSchemes: readonly string[] = ["http", "https"];

/** What a tracker must hear from us alone: a URL that says it already would speak for us. */
const announceParameter =
  /(^|&)(info_hash|peer_id|port|left|uploaded|downloaded|event|numwant|compact)=/;

/** The tracker URL in `text`, ready to use, or undefined when it is not fit to be tried. */
export function parseTrackerUrl(text: string): string | undefined {
  return parseFitUrl(text, (url) => {
    if (url.scheme === "udp" && url.port === undefined) return false;
    return trackerSchemes.includes(url.scheme) && !announceParameter.test(url.query ?? "");
  });
}

/** The web seed URL in `text`, ready to use, or undefined when it is not fit to be tried. */
export function parseWebSeedUrl(text: string): string | undefined {
  // A query at a bare address aims at some device's control page, not at a file (libtorrent's
  // answer to the audit of 2020).
  return parseFitUrl(text, ({ scheme, host, query }) => {
    const isBareAddress = host === "localhost" || parseIp(host) !== undefined;
    return webSeedSchemes.includes(scheme) && !(isBareAddress && query !== undefined);
  });
}

function parseFitUrl(text: string, isFit: (url: UrlParts) => boolean): string | undefined {
  if (text.length > MAX_URL_LENGTH) return undefined;
  const escaped = escapeUrl(text.trim());
  const url = parseUrl(escaped);
  if (url === undefined || url.hasCredentials || escaped.length > MAX_URL_LENGTH) return undefined;
  return isFit(url) ? escaped : undefined;
}

/**
 * The trackers of a .torrent by tier (BEP 12): those of `announce-list`, else `announce`. A flat
 * list is read as tiers of one. In strict mode an unfit URL is META_TRACKER_URL, else left out.
 */
export function readAnnounceTiers(
  torrent: BencodeDictionary,
  isStrict: boolean,
): Result<readonly (readonly string[])[], MetainfoErrorCode> {
  const announceList = readTiers(torrent.getList("announce-list") ?? []);
  const announce = torrent.get("announce");
  const single = readTiers(announce instanceof Uint8Array ? [announce] : []);
  const isUnfit = announce !== undefined && single.tiers.length === 0;
  if (isStrict && (announceList.unfitCount > 0 || isUnfit)) {
    return fail("META_TRACKER_URL", "a tracker URL cannot be used");
  }
  return ok(announceList.tiers.length > 0 ? announceList.tiers : single.tiers);
}

function readTiers(values: Iterable<BencodeValue>): {
  readonly tiers: readonly (readonly string[])[];
  readonly unfitCount: number;
} {
  const tiers: string[][] = [];
  const seen = new Set<string>();
  let entryCount = 0;
  let unfitCount = 0;
  for (const value of values) {
    const tier: string[] = [];
    for (const entry of value instanceof BencodeList ? value : [value]) {
      if (seen.size === MAX_URLS || ++entryCount > MAX_ENTRIES) break;
      const url = readUrl(entry, parseTrackerUrl);
      if (url === undefined) unfitCount++;
      else if (!seen.has(url)) tier.push(url);
      if (url !== undefined) seen.add(url);
    }
    if (tier.length > 0) tiers.push(tier);
  }
  return { tiers, unfitCount };
}

/** The web seeds of a .torrent (BEP 19), unfit ones left out. */
export function readWebSeeds(torrent: BencodeDictionary): readonly string[] {
  const list = torrent.get("url-list");
  const urls = new Set<string>();
  let entryCount = 0;
  for (const entry of list instanceof BencodeList ? list : [list]) {
    if (urls.size === MAX_URLS || ++entryCount > MAX_ENTRIES) break;
    const url = readUrl(entry, parseWebSeedUrl);
    if (url !== undefined) urls.add(url);
  }
  return [...urls];
}

function readUrl(
  value: BencodeValue | undefined,
  parse: (text: string) => string | undefined,
): string | undefined {
  const text = value instanceof Uint8Array ? parseUtf8(value) : undefined;
  return text === undefined ? undefined : parse(text);
}
