/**
 * What `get` and `inspect` are given, turned into a torrent: a .torrent file, the URL of one, a
 * download page, or a magnet link.
 */
import { BtPublisherError, unwrap } from "../base/errors.ts";
import { concatBytes } from "../base/bytes.ts";
import type { HttpClient } from "../ports/http-client.ts";
import { MAX_TORRENT_BYTES } from "../protocol/metainfo/limits.ts";
import { type Magnet, parseMagnet } from "../protocol/metainfo/magnet.ts";
import type { DownloadSource } from "../peer/peer.ts";
import type { Output } from "./output.ts";
import { parseTorrent, readTorrentFile } from "./torrent-file.ts";

/** First byte of a bencoded dictionary, as every .torrent file begins. */
const DICTIONARY = "d".charCodeAt(0);

/**
 * The torrent that `ref` names.
 * @throws BtPublisherError MAG_…, BENC_…, META_… for a bad one; USAGE for a URL that is not of the
 * web; NO_INPUT, NOT_FOUND, DENIED, UNAVAILABLE when it cannot be had.
 */
export async function resolveTorrentRef(
  ref: string,
  surroundings: {
    readonly http: HttpClient;
    readonly output: Output;
    readonly signal: AbortSignal;
    /** Who we are to the server at `url`; undefined: nobody in particular. */
    readonly tokenFor?: (url: string) => string | undefined;
    /** Hears, as the user does, that the server does not serve it at the moment. */
    readonly onNotice?: (notice: string) => void;
  },
): Promise<DownloadSource> {
  if (/^magnet:/i.test(ref)) {
    const magnet = unwrap(parseMagnet(ref));
    warnOfCutMagnet(magnet, surroundings.output);
    return { type: "magnet", magnet };
  }
  if (!/^https?:\/\//i.test(ref)) return { type: "metainfo", metainfo: await readTorrentFile(ref) };
  const bytes = await fetchTorrent(ref, surroundings);
  return { type: "metainfo", metainfo: parseTorrent(bytes, ref) };
}

/** A shell cuts an unquoted link at its first `&`: then there are no trackers in it. */
function warnOfCutMagnet(magnet: Magnet, output: Output): void {
  if (magnet.trackers.length + magnet.peers.length + magnet.webSeeds.length > 0) return;
  output.warn(
    "this magnet link names no tracker and no peer; if it was longer, the shell cut it at its " +
      "first '&': put it in quotes",
  );
}

/** A notice is a sentence. */
const MAX_NOTICE_LENGTH = 1000;

/** What a server says along with a .torrent, percent-encoded: why it does not serve it itself. */
const NOTICE_HEADER = "btpublisher-notice";

/** What fetching by a reference needs. */
export type Fetching = Parameters<typeof resolveTorrentRef>[1];

/** The URL's own answer when it is a .torrent; else it is a page, whose .torrent lies beside it. */
async function fetchTorrent(url: string, fetching: Fetching): Promise<Uint8Array> {
  const bytes = await fetchBytes(url, fetching);
  if (bytes[0] === DICTIONARY || /\.torrent$/i.test(new URL(url).pathname)) return bytes;
  const beside = new URL(url);
  if (beside.pathname === "/") {
    const message = `${url} is no page of a publication: open it in a browser and choose one`;
    throw new BtPublisherError("NOT_FOUND", message);
  }
  beside.pathname = `${beside.pathname.replace(/\/$/, "")}.torrent`;
  return fetchBytes(beside.href, fetching);
}

/** What is at `url`. @throws NOT_FOUND, DENIED, UNAVAILABLE. */
export function fetchBytes(url: string, fetching: Fetching): Promise<Uint8Array> {
  const { http, signal } = fetching;
  const token = fetching.tokenFor?.(url);
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    const fail = (error: BtPublisherError): void => {
      signal.removeEventListener("abort", cancel);
      reject(error);
    };
    const request = http.get(
      { url, headers, maxBytes: MAX_TORRENT_BYTES },
      {
        onHead: ({ status, headers }) => {
          if (status === 200) {
            hearNotice(headers[NOTICE_HEADER], fetching);
            return true;
          }
          fail(statusError(url, status));
          return false;
        },
        onData: (bytes) => void parts.push(bytes.slice()),
        onEnd: () => {
          signal.removeEventListener("abort", cancel);
          resolve(concatBytes(parts));
        },
        onError: (message) => {
          fail(new BtPublisherError("UNAVAILABLE", `cannot get ${url}: ${message}`));
        },
      },
    );
    const cancel = (): void => {
      request.cancel();
      reject(signal.reason as BtPublisherError);
    };
    signal.addEventListener("abort", cancel, { once: true });
  });
}

function hearNotice(header: string | undefined, { output, onNotice }: Fetching): void {
  if (header === undefined) return;
  let notice: string;
  try {
    notice = decodeURIComponent(header).slice(0, MAX_NOTICE_LENGTH);
  } catch {
    // Somebody else's header of that name.
    return;
  }
  output.warn(notice);
  onNotice?.(notice);
}

function statusError(url: string, status: number): BtPublisherError {
  const detail = { status };
  if (status === 404 || status === 410) {
    return new BtPublisherError(
      "NOT_FOUND",
      `there is nothing at ${url}; if it is not for everybody, say who you are with --token`,
      { detail },
    );
  }
  if (status === 401 || status === 403) {
    return new BtPublisherError("DENIED", `${url} may not be read: status ${status}`, { detail });
  }
  return new BtPublisherError("UNAVAILABLE", `${url} answered with status ${status}`, { detail });
}
