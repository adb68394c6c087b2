/** Where a file of the content lies on a web seed (BEP 19). */
import { utf8Bytes } from "../../base/bytes.ts";
import type { Info } from "./metainfo.ts";

/**
 * URL of file number `fileIndex` on the web seed `base`.
 *
 * For a directory the base is a folder that holds the torrent's directory. For a single file it is
 * the file itself, or a folder that holds it when it ends with a slash.
 */
export function webSeedUrl(base: string, info: Info, fileIndex: number): string {
  const name = percentEncode(utf8Bytes(info.name));
  if (!info.isDirectory) return base.endsWith("/") ? base + name : base;
  const folder = base.endsWith("/") ? base : `${base}/`;
  const path = info.files[fileIndex]?.rawPath.map(percentEncode) ?? [];
  return `${folder}${name}/${path.join("/")}`;
}

/** Percent-encodes everything but RFC 3986's unreserved characters. */
export function percentEncode(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9\-._~]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}
