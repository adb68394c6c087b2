/** Where a file of the content lies on a web seed (BEP 19). */
import { percentEncode } from "../../base/url.ts";
import type { Info } from "./metainfo.ts";

/**
 * URL of file number `fileIndex` on the web seed `base`.
 *
 * For a directory the base is a folder that holds the torrent's directory. For a single file it is
 * the file itself, or a folder that holds it when it ends with a slash.
 */
export function webSeedUrl(base: string, info: Info, fileIndex: number): string {
  const name = percentEncode(info.rawName);
  if (!info.isDirectory) return base.endsWith("/") ? base + name : base;
  const folder = base.endsWith("/") ? base : `${base}/`;
  const path = info.files[fileIndex]?.rawPath.map(percentEncode) ?? [];
  return `${folder}${name}/${path.join("/")}`;
}
