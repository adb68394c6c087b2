/** What a person names to `get`: a page or .torrent URL, a magnet link or a .torrent file. */
import { concatBytes } from "../base/bytes.ts";
import { BtPublisherError, unwrap } from "../base/errors.ts";
import type { HttpClient } from "../ports/http-client.ts";
import { parseMagnet } from "../protocol/metainfo/magnet.ts";
import type { Metainfo } from "../protocol/metainfo/metainfo.ts";
import { parseMetainfo } from "../protocol/metainfo/parse.ts";
import type { DownloadSource } from "./peer.ts";

export interface ReferencePorts {
  readonly http: HttpClient;
  readonly sha1: (bytes: Uint8Array) => Uint8Array;
  /** The bytes of a local file. @throws BtPublisherError NO_INPUT when there is none. */
  readonly readFile: (path: string) => Promise<Uint8Array>;
}

/** A .torrent longer than this is refused before it is read (TOR-01). */
const MAX_TORRENT_BYTES = 10_000_000;

/**
 * Finds out what `reference` means. A page `…/p/NAME` stands for the .torrent beside it.
 * @throws BtPublisherError with a BENC, META or MAG code; NO_INPUT; UNAVAILABLE.
 */
export async function resolveReference(
  reference: string,
  ports: ReferencePorts,
): Promise<DownloadSource> {
  if (/^magnet:/i.test(reference)) {
    return { type: "magnet", magnet: unwrap(parseMagnet(reference)) };
  }
  const parse = (bytes: Uint8Array): Metainfo => unwrap(parseMetainfo(bytes, { sha1: ports.sha1 }));
  if (!/^https?:\/\//i.test(reference)) {
    return { type: "metainfo", metainfo: parse(await ports.readFile(reference)) };
  }
  const candidates = torrentUrls(reference);
  let firstError: unknown;
  for (const url of candidates) {
    try {
      return { type: "metainfo", metainfo: parse(await fetchBytes(ports.http, url)) };
    } catch (error) {
      firstError ??= error;
    }
  }
  throw firstError;
}

/** URLs to try, the likeliest first. */
function torrentUrls(url: string): string[] {
  const [base = url] = url.split(/[?#]/, 1);
  if (base.endsWith(".torrent")) return [url];
  return [`${base.replace(/\/$/, "")}.torrent`, url];
}

function fetchBytes(http: HttpClient, url: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const fail = (message: string) =>
      reject(new BtPublisherError("UNAVAILABLE", `cannot get ${url}: ${message}`));
    http.get(
      { url, maxBytes: MAX_TORRENT_BYTES },
      {
        onHead: (head) => {
          if (head.status === 200) return true;
          fail(`the server answered ${head.status}`);
          return false;
        },
        onData: (chunk) => chunks.push(chunk.slice()),
        onEnd: () => resolve(concatBytes(chunks)),
        onError: fail,
      },
    );
  });
}
