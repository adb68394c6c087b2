/**
 * Magnet links (BEP 9; `so` from BEP 53). Only the info hash must be right: any other field that
 * cannot be used is left out, as links are passed on and mangled by many hands.
 */
import { fromHex, latin1, parseInfoHash, parseUtf8, toHex, utf8Bytes } from "../../base/bytes.ts";
import { type ErrorCode, fail, ok, type Result } from "../../base/errors.ts";
import { formatIp, parseIp } from "../../base/ip-address.ts";
import type { InfoHash } from "../../base/units.ts";
import { percentDecode, percentEncode } from "../../base/url.ts";
import { MAX_URLS, parseTrackerUrl, parseWebSeedUrl } from "./announce-urls.ts";
import { sanitizeName } from "./safe-path.ts";

/** Where a peer listens. */
export interface MagnetPeer {
  /** A canonical IP address without brackets. */
  readonly host: string;
  /** 1 … 65535. */
  readonly port: number;
}

/** File indices from `first` to `last`, both included. */
export interface FileRange {
  readonly first: number;
  readonly last: number;
}

export interface Magnet {
  /** The v1 info hash. */
  readonly infoHash: InfoHash;
  /** The v2 info hash of a hybrid torrent, in hexadecimal (SHA-256, without its multihash prefix). */
  readonly v2InfoHash: string | undefined;
  /** Name to show until the metadata is there; safe as a file name. */
  readonly name: string | undefined;
  readonly trackers: readonly string[];
  readonly webSeeds: readonly string[];
  /** Peers to begin with (`x.pe`); host names are left out, so that a link makes no look-ups. */
  readonly peers: readonly MagnetPeer[];
  /** Files to select (`so`); none means all. */
  readonly fileRanges: readonly FileRange[];
}

/** What can be wrong with a magnet link. */
export type MagnetErrorCode = Extract<ErrorCode, `MAG_${string}`>;

/** Characters of a link; libtorrent and browsers stop far below. */
const MAX_MAGNET_LENGTH = 64 * 1024;

/** Peers that a link may bring. */
const MAX_PEERS = 100;

/** The magnet link in `text`, or why it cannot be used (MAG_* codes). */
export function parseMagnet(text: string): Result<Magnet, MagnetErrorCode> {
  if (text.length > MAX_MAGNET_LENGTH) {
    return fail("MAG_SIZE", `the magnet link has more than ${MAX_MAGNET_LENGTH} characters`);
  }
  if (!/^magnet:/i.test(text)) return fail("MAG_NO_HASH", "this is not a magnet link");
  const fields = splitFields(text);
  const hashes = parseTopics(fields.get("xt") ?? []);
  if (!hashes.ok) return hashes;
  return ok({
    ...hashes.value,
    name: parseDisplayName(fields.get("dn")?.[0]),
    trackers: parseUrls(fields.get("tr"), parseTrackerUrl),
    webSeeds: parseUrls(fields.get("ws"), parseWebSeedUrl),
    peers: parsePeers(fields.get("x.pe") ?? []),
    fileRanges: (fields.get("so") ?? []).flatMap(parseFileRanges),
  });
}

/** A magnet link; what is undefined or empty is left out. */
export function formatMagnet(magnet: Pick<Magnet, "infoHash"> & Partial<Magnet>): string {
  const { infoHash, v2InfoHash, name, trackers = [], webSeeds = [], peers = [] } = magnet;
  const ranges = (magnet.fileRanges ?? []).map(formatFileRange).join(",");
  const fields = [
    `xt=urn:btih:${infoHash}`,
    ...(v2InfoHash === undefined ? [] : [`xt=urn:btmh:${SHA256_PREFIX}${v2InfoHash}`]),
    ...(name === undefined ? [] : [`dn=${escapeText(name)}`]),
    ...trackers.map((url) => `tr=${escapeText(url)}`),
    ...webSeeds.map((url) => `ws=${escapeText(url)}`),
    ...peers.map(({ host, port }) => `x.pe=${host.includes(":") ? `[${host}]` : host}:${port}`),
    ...(ranges === "" ? [] : [`so=${ranges}`]),
  ];
  return `magnet:?${fields.join("&")}`;
}

/** Values by field name, still escaped. `tr.1` and the like are `tr` (several of one kind). */
function splitFields(text: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const field of text
    .slice(text.indexOf(":") + 1)
    .replace(/^\?/, "")
    .split("&")) {
    const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(field) ?? [];
    const key = name.toLowerCase().replace(/\.\d+$/, "");
    const values = fields.get(key);
    if (values === undefined) fields.set(key, [value]);
    else values.push(value);
  }
  return fields;
}

type Hashes = Pick<Magnet, "infoHash" | "v2InfoHash">;

/** What multihash writes before a SHA-256 digest: its kind, and its length of 32. */
const SHA256_PREFIX = "1220";

function parseTopics(topics: readonly string[]): Result<Hashes, MagnetErrorCode> {
  const v1 = new Set<InfoHash>();
  const v2 = new Set<string>();
  for (const escaped of topics) {
    const bytes = percentDecode(escaped);
    if (bytes === undefined) return fail("MAG_ESCAPE", "the magnet link's hash is badly escaped");
    const [, kind, value = ""] = /^urn:(btih|btmh):(.*)$/is.exec(latin1(bytes)) ?? [];
    if (kind === undefined) continue;
    const isV1 = kind.toLowerCase() === "btih";
    const hash = isV1 ? parseBtih(value) : parseBtmh(value);
    if (hash === undefined) return fail("MAG_HASH", "the magnet link's info hash is not a hash");
    if (isV1) v1.add(hash as InfoHash);
    else v2.add(hash);
  }
  if (v1.size > 1 || v2.size > 1) {
    return fail("MAG_AMBIGUOUS", "the magnet link has two different info hashes");
  }
  const [infoHash] = v1;
  const [v2InfoHash] = v2;
  if (infoHash !== undefined) return ok({ infoHash, v2InfoHash });
  if (topics.length === 0) return fail("MAG_NO_HASH", "the magnet link has no info hash");
  return fail("MAG_UNSUPPORTED", "the magnet link has no BitTorrent v1 info hash (urn:btih)");
}

/** 40 hexadecimal digits, or 32 characters of base32 as old links have. */
function parseBtih(text: string): InfoHash | undefined {
  if (text.length === 40) return parseInfoHash(text);
  const bytes = text.length === 32 ? parseBase32(text) : undefined;
  return bytes === undefined ? undefined : parseInfoHash(toHex(bytes));
}

function parseBtmh(text: string): string | undefined {
  const isSha256 = text.length === 68 && text.startsWith(SHA256_PREFIX);
  return isSha256 && fromHex(text) !== undefined ? text.slice(4).toLowerCase() : undefined;
}

/** RFC 4648 base32 of either case without padding; whole groups of 8 characters only. */
function parseBase32(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let bitCount = 0;
  for (const character of text.toUpperCase()) {
    const value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(character);
    if (value < 0) return undefined;
    bits = ((bits << 5) | value) & 0xfff;
    bitCount += 5;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes.push((bits >> bitCount) & 255);
  }
  return Uint8Array.from(bytes);
}

/** Web pages write a space as `+` here. */
function parseDisplayName(escaped: string | undefined): string | undefined {
  const bytes = escaped === undefined ? undefined : percentDecode(escaped.replaceAll("+", " "));
  return bytes === undefined ? undefined : sanitizeName(bytes, "posix");
}

function parseUrls(
  values: readonly string[] | undefined,
  parse: (text: string) => string | undefined,
): readonly string[] {
  const urls = new Set<string>();
  for (const value of values ?? []) {
    if (urls.size === MAX_URLS) break;
    const text = unescapeText(value);
    const url = text === undefined ? undefined : parse(text);
    if (url !== undefined) urls.add(url);
  }
  return [...urls];
}

function parsePeers(values: readonly string[]): readonly MagnetPeer[] {
  const peers = new Map<string, MagnetPeer>();
  for (const value of values) {
    if (peers.size === MAX_PEERS) break;
    const text = unescapeText(value) ?? "";
    const [, inBrackets, plain = "", port] = /^(?:\[(.*:.*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
    const address = parseIp(inBrackets ?? plain);
    const isPort = Number(port) > 0 && Number(port) < 65536;
    if (address === undefined || !isPort) continue;
    const peer = { host: formatIp(address), port: Number(port) };
    peers.set(`${peer.host} ${peer.port}`, peer);
  }
  return [...peers.values()];
}

function parseFileRanges(value: string): FileRange[] {
  const ranges: FileRange[] = [];
  for (const text of (unescapeText(value) ?? "").split(",")) {
    const match = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(text);
    if (match === null) continue;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (first <= last && last < 2 ** 31) ranges.push({ first, last });
  }
  return ranges;
}

function formatFileRange({ first, last }: FileRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

function unescapeText(escaped: string): string | undefined {
  const bytes = percentDecode(escaped);
  return bytes === undefined ? undefined : parseUtf8(bytes);
}

function escapeText(text: string): string {
  return percentEncode(utf8Bytes(text));
}
