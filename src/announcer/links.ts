/**
 * Every address of a publication, made in one place: its page, its .torrent, its files, and the
 * magnet link (BEP 9) that says the same. Base URLs have no slash at their end.
 */
import { utf8Bytes } from "../base/bytes.ts";
import type { InfoHash } from "../base/units.ts";
import { percentEncode } from "../base/url.ts";
import { formatMagnet } from "../protocol/metainfo/magnet.ts";

/** What the addresses of a publication depend on. */
export interface LinkSubject {
  readonly name: string;
  readonly infoHash: InfoHash;
  readonly contentName: string;
  readonly isDirectory: boolean;
}

/** Where the parts of the system are reached now. */
export interface Places {
  /** Base URL of the Announcer's pages. */
  readonly publicUrl: string;
  /** Base URLs of the SourceNodes' file doors. */
  readonly sourceUrls: readonly string[];
  /** Announce URLs by tier (BEP 12). */
  readonly announceUrls: readonly string[];
}

/** `/p/NAME` at `publicUrl`. */
export function pageUrl(publicUrl: string, name: string): string {
  return `${publicUrl}/p/${name}`;
}

/** `/p/NAME.torrent` at `publicUrl`. */
export function torrentUrl(publicUrl: string, name: string): string {
  return `${pageUrl(publicUrl, name)}.torrent`;
}

/** Address of one file; `path` as in the metainfo (for a single file just its name). */
export function fileUrl(baseUrl: string, subject: LinkSubject, path: readonly string[]): string {
  const elements = subject.isDirectory ? [subject.contentName, ...path] : [subject.contentName];
  return `${baseUrl}/files/${subject.name}/${elements.map(encodeElement).join("/")}`;
}

function encodeElement(element: string): string {
  return percentEncode(utf8Bytes(element));
}

/** BEP 19's `url-list`: the folder that clients append name and path to, or the one file. */
export function webSeedUrls(sourceUrls: readonly string[], subject: LinkSubject): string[] {
  const { name, contentName, isDirectory } = subject;
  const rest = isDirectory ? "" : encodeElement(contentName);
  return sourceUrls.map((baseUrl) => `${baseUrl}/webseed/${name}/${rest}`);
}

/** BEP 9's magnet link, with trackers and web seeds. */
export function magnetLink(places: Places, subject: LinkSubject): string {
  return formatMagnet({
    infoHash: subject.infoHash,
    name: subject.contentName,
    trackers: places.announceUrls,
    webSeeds: webSeedUrls(places.sourceUrls, subject),
  });
}

/**
 * One tier for each tracker. With a passkey, which stands behind the path of `/announce`, only those
 * that every client sends it to: few send BEP 41's URL data over UDP.
 */
export function announceTiers(
  urls: readonly string[],
  passkey: string | undefined,
): readonly (readonly string[])[] {
  if (passkey === undefined) return urls.map((url) => [url]);
  return urls.filter((url) => !url.startsWith("udp:")).map((url) => [`${url}/${passkey}`]);
}

/** Where the Tracker issues tickets for a passkey: beside the first announce URL of HTTP. */
export function ticketUrl(
  urls: readonly string[],
  passkey: string | undefined,
): string | undefined {
  const announceUrl = urls.find((url) => /^https?:.*\/announce$/.test(url));
  if (announceUrl === undefined || passkey === undefined) return undefined;
  return `${announceUrl.slice(0, -"announce".length)}ticket/${passkey}`;
}
