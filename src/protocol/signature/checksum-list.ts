/**
 * The checksum list of a publication, `/p/NAME.sha256`: what `sha256sum -c` reads, run where the
 * content was downloaded to. Its first line is a comment with the info hash, so that one signature
 * of the list is one of every file, by whatever way it comes, and of the torrent.
 */
import { latin1, parseInfoHash } from "../../base/bytes.ts";
import type { InfoHash } from "../../base/units.ts";

/** What the list is about. */
export interface ListedContent {
  readonly infoHash: string;
  readonly contentName: string;
  readonly isDirectory: boolean;
  /** `sha256` in lower-case hexadecimal. */
  readonly files: readonly { readonly path: readonly string[]; readonly sha256: string }[];
}

const HEAD = "# BitTorrent info hash ";

/** One line for each file. GNU coreutils escapes a backslash in a name and marks that line. */
export function checksumList(content: ListedContent): string {
  const lines = content.files.map(({ path, sha256 }) => {
    const whole = content.isDirectory ? [content.contentName, ...path] : [content.contentName];
    const name = whole.join("/");
    const isEscaped = name.includes("\\");
    return `${isEscaped ? "\\" : ""}${sha256}  ${name.replaceAll("\\", "\\\\")}\n`;
  });
  return `${HEAD}${content.infoHash}\n${lines.join("")}`;
}

/** The info hash that the head of a list names; undefined when there is none. */
export function infoHashInList(list: Uint8Array): InfoHash | undefined {
  const head = latin1(list.subarray(0, HEAD.length + 41));
  if (!head.startsWith(HEAD) || !head.endsWith("\n")) return undefined;
  return parseInfoHash(head.slice(HEAD.length, -1));
}
