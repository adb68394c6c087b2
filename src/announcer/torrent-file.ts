/**
 * A .torrent file (BEP 3, 12, 19) around an info dictionary that is kept byte for byte: addresses
 * may change with every request, the info hash never does.
 */
import type { UnixMillis } from "../base/units.ts";
import { Bencoded, type BencodeInput, encodeBencode } from "../protocol/bencode/encode.ts";

/** What stands in a .torrent file. */
export interface TorrentFileParts {
  /** The bencoded info dictionary. */
  readonly info: Uint8Array;
  /** In the order of preference, each a tier of its own (BEP 12); at least one. */
  readonly announceUrls: readonly string[];
  readonly webSeeds: readonly string[];
  readonly comment: string;
  readonly createdAt: UnixMillis;
}

/** The file's bytes. */
export function encodeTorrentFile(parts: TorrentFileParts): Uint8Array {
  const { announceUrls, webSeeds } = parts;
  const fields = new Map<string, BencodeInput>([
    ["announce", announceUrls[0] as string],
    ["comment", parts.comment],
    ["created by", "BTPublisher"],
    ["creation date", Math.floor(parts.createdAt / 1000)],
    ["info", new Bencoded(parts.info)],
  ]);
  if (announceUrls.length > 1)
    fields.set(
      "announce-list",
      announceUrls.map((url) => [url]),
    );
  // A list even of one: some clients do not read a lone string.
  if (webSeeds.length > 0) fields.set("url-list", [...webSeeds]);
  return encodeBencode(fields);
}
