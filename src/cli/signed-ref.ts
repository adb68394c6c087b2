/**
 * `get --signed-by KEY`: nothing is downloaded before the publisher's signature of the checksum list
 * was verified, and the torrent is the one that the list names.
 */
import { signingCrypto } from "../adapters/node/signing-crypto.ts";
import { parseUtf8 } from "../base/bytes.ts";
import { BtPublisherError } from "../base/errors.ts";
import type { DownloadSource } from "../peer/peer.ts";
import { infoHashInList } from "../protocol/signature/checksum-list.ts";
import { verifyTexts } from "../protocol/signature/minisign.ts";
import { type Fetching, fetchBytes } from "./torrent-ref.ts";

/** A reference, the torrent that it led to, and whose signature it must have. */
export interface SignedRef {
  readonly ref: string;
  readonly source: DownloadSource;
  /** minisign's: `RW…`. */
  readonly publicKey: string;
}

/**
 * Verifies that the torrent is signed. @returns the signature's trusted comment.
 * @throws USAGE for a reference without a page, or what is no key; BAD_SIGNATURE; as fetching does.
 */
export async function verifySignedRef(signed: SignedRef, fetching: Fetching): Promise<string> {
  const { ref, source, publicKey } = signed;
  const listUrl = listUrlOf(ref);
  if (listUrl === undefined || source.type !== "metainfo") throw noPage(ref);
  const list = await fetchPart(listUrl, fetching);
  const signature = parseUtf8(await fetchPart(`${listUrl}.minisig`, fetching)) ?? "";
  const verified = verifyTexts(list, { publicKey, signature }, signingCrypto);
  if (!verified.ok) throw new BtPublisherError(verified.code, `${ref}: ${verified.message}`);
  if (infoHashInList(list) !== source.metainfo.info.infoHash) {
    throw bad(ref, "the torrent is not the one that was signed");
  }
  return verified.value.trustedComment;
}

/** Where the checksum list of a download page, or of its .torrent, is. */
function listUrlOf(ref: string): string | undefined {
  const url = /^https?:\/\//i.test(ref) ? URL.parse(ref) : null;
  const page = /^(.*\/p\/[^/]+?)(?:\.torrent)?\/?$/.exec(url?.pathname ?? "")?.[1];
  return url === null || page === undefined ? undefined : `${url.origin}${page}.sha256`;
}

async function fetchPart(url: string, fetching: Fetching): Promise<Uint8Array> {
  try {
    return await fetchBytes(url, fetching);
  } catch (error) {
    if (!(error instanceof BtPublisherError && error.code === "NOT_FOUND")) throw error;
    throw bad(url, "there is nothing there: its publisher has not signed it");
  }
}

function bad(where: string, why: string): BtPublisherError {
  return new BtPublisherError("BAD_SIGNATURE", `${where}: ${why}`, { detail: { ref: where } });
}

function noPage(ref: string): BtPublisherError {
  const message = `${ref} has no page with a signature: with --signed-by give the address of a download page, or of a .torrent beside it`;
  return new BtPublisherError("USAGE", message, { detail: { ref } });
}
