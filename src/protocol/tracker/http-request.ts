/** URLs of announces and scrapes over HTTP, as a peer asks a tracker (BEP 3, 23, 48). */
import { infoHashBytes } from "../../base/bytes.ts";
import type { InfoHash, PeerId } from "../../base/units.ts";
import { percentEncode } from "../../base/url.ts";
import type { AnnounceEvent } from "./announce.ts";

/** What a peer announces. */
export interface AnnounceParameters {
  readonly infoHash: InfoHash;
  readonly peerId: PeerId;
  /** Where it listens. */
  readonly port: number;
  /** Bytes since `started`. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Bytes. */
  readonly left: number;
  readonly event: AnnounceEvent | undefined;
  /** Peers wanted; undefined leaves it to the tracker. */
  readonly numWant: number | undefined;
  /** 32 random bits that stay the same when the peer's address changes (BEP 7). */
  readonly key: number;
}

/** The URL to get: `announceUrl` as in the metainfo, with the parameters behind its own ones. */
export function buildAnnounceUrl(announceUrl: string, parameters: AnnounceParameters): string {
  const { infoHash, peerId, port, uploaded, downloaded, left, event, numWant, key } = parameters;
  let query =
    `info_hash=${percentEncode(infoHashBytes(infoHash))}&peer_id=${percentEncode(peerId)}` +
    `&port=${port}&uploaded=${uploaded}&downloaded=${downloaded}&left=${left}&compact=1` +
    `&key=${key.toString(16).padStart(8, "0")}`;
  if (event !== undefined) query += `&event=${event}`;
  if (numWant !== undefined) query += `&numwant=${numWant}`;
  return withQuery(announceUrl, query);
}

/**
 * The URL that asks for the numbers of `infoHashes`, or undefined when the tracker has none: its
 * announce URL's last path element must begin with `announce`, which becomes `scrape`.
 */
export function buildScrapeUrl(
  announceUrl: string,
  infoHashes: readonly InfoHash[],
): string | undefined {
  const match = /^([^?#]*\/)announce([^/?#]*(?:\?[^#]*)?)(?:#.*)?$/.exec(announceUrl);
  if (match === null) return undefined;
  const hashes = infoHashes.map(
    (infoHash) => `info_hash=${percentEncode(infoHashBytes(infoHash))}`,
  );
  return withQuery(`${match[1]}scrape${match[2]}`, hashes.join("&"));
}

function withQuery(url: string, query: string): string {
  const [base = ""] = url.split("#", 1);
  return `${base}${base.includes("?") ? "&" : "?"}${query}`;
}
