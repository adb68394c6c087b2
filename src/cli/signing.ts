/** How `sign` and `publish --sign` sign: the checksum list, made here from what the server tells. */
import { signingCrypto } from "../adapters/node/signing-crypto.ts";
import { DiskContentInspector } from "../adapters/node/content-inspector.ts";
import { DiskPool } from "../adapters/node/disk-pool.ts";
import { BtPublisherError, unwrap } from "../base/errors.ts";
import type { ApiPublicationView } from "../protocol/api/values.ts";
import { matchKeptFiles } from "../protocol/metainfo/kept-info.ts";
import { MAX_TORRENT_BYTES } from "../protocol/metainfo/limits.ts";
import { checksumList } from "../protocol/signature/checksum-list.ts";
import { signFile, trustedCommentFor, verifyTexts } from "../protocol/signature/minisign.ts";
import { encodePublicKey, type MinisignSecretKey } from "../protocol/signature/minisign-format.ts";
import type { ApiClient } from "./api-client.ts";
import type { Output } from "./output.ts";
import { formatBytes } from "./text.ts";
import { parseTorrent } from "./torrent-file.ts";

/** What is signed by whom: a key of ours, or what minisign made with another. */
export type Signer =
  | { readonly type: "key"; readonly key: MinisignSecretKey }
  | { readonly type: "texts"; readonly publicKey: string; readonly signature: string };

/** Files named before signing; a list of thousands tells people nothing. */
const MAX_NAMED_FILES = 20;

/**
 * Signs publication `name`, and has the server keep it. `contentPath`: where the content lies here,
 * if it does; what the server tells of it is then held to that.
 * @throws BAD_SIGNATURE, DIGEST, and what the server answers.
 */
export async function signPublication(
  { api, output }: { readonly api: ApiClient; readonly output: Output },
  name: string,
  signer: Signer,
  contentPath?: string,
): Promise<void> {
  const path = `/api/v1/publications/${encodeURIComponent(name)}`;
  const view = (await api.json("GET", path)) as unknown as ApiPublicationView;
  if (contentPath !== undefined) await assertSameContent(api, view, contentPath);
  output.print(whatIsSigned(view));
  const list = new TextEncoder().encode(checksumList(view));
  const texts = textsOf(list, signer, `${name}.sha256`);
  // The server does it, too: what it would refuse is told here, in the words for this side.
  unwrap(verifyTexts(list, texts, signingCrypto));
  const { signature } = await api.json("PUT", `${path}/signature`, texts);
  const { infoHash, bytes, fileCount } = view;
  const signatureUrl = `${view.pageUrl}.sha256.minisig`;
  output.event(
    "signed",
    { name, infoHash, bytes, fileCount, ...(signature as object), signatureUrl },
    `Signed ${name} by ${texts.publicKey.trim()}.

  signature  ${signatureUrl}
  get        btpublisher get ${view.pageUrl} --signed-by ${texts.publicKey.trim()}`,
  );
}

function textsOf(list: Uint8Array, signer: Signer, fileName: string) {
  if (signer.type === "texts") {
    return { publicKey: signer.publicKey, signature: signer.signature };
  }
  const { key } = signer;
  const trustedComment = trustedCommentFor(fileName, Date.now());
  const signature = signFile(list, { key, trustedComment }, signingCrypto);
  return { publicKey: encodePublicKey(key), signature };
}

function whatIsSigned({ name, infoHash, files }: ApiPublicationView): string {
  const named = files
    .slice(0, MAX_NAMED_FILES)
    .map(({ path, bytes, sha256 }) => `  ${sha256}  ${formatBytes(bytes)}  ${path.join("/")}\n`);
  const rest = files.length - named.length;
  const more = rest > 0 ? `  and ${rest} more, in ${name}.sha256\n` : "";
  return `Signing ${name}: info hash ${infoHash}, and\n${named.join("")}${more}`;
}

/**
 * Hashes what lies at `path` as the torrent was made: the files and the pieces must be the same.
 * @throws DIGEST when they are not.
 */
async function assertSameContent(
  api: ApiClient,
  view: ApiPublicationView,
  path: string,
): Promise<void> {
  const torrentPath = `/p/${encodeURIComponent(view.name)}.torrent`;
  const { info } = parseTorrent(await api.bytes(torrentPath, MAX_TORRENT_BYTES), view.torrentUrl);
  const { contentName, isDirectory } = view;
  const pool = new DiskPool();
  try {
    const inspector = new DiskContentInspector(pool);
    const scanned = await inspector.scan(path);
    // Its files in the torrent's order, which was not made here where a .torrent was kept.
    if (!matchKeptFiles(info, scanned).ok) throw differs(view, path);
    const tree = { ...scanned, files: info.files };
    const { pieceLength } = info.geometry;
    const { isPrivate } = info;
    const onProgress = () => undefined;
    const { signal } = api;
    const how = { pieceLength, isPrivate, onProgress, signal, kept: info };
    const hashed = await inspector.hash(tree, how).catch((error: unknown) => {
      const isOther = error instanceof BtPublisherError && error.code === "HASH_MISMATCH";
      throw isOther ? differs(view, path) : error;
    });
    const here = checksumList({
      infoHash: info.infoHash,
      contentName,
      isDirectory,
      files: info.files.map(({ path }, i) => ({ path, sha256: hashed.sha256[i] as string })),
    });
    if (here !== checksumList(view)) throw differs(view, path);
  } finally {
    await pool.close();
  }
}

function differs({ name }: ApiPublicationView, path: string): BtPublisherError {
  const message = `what the server published as ${name} is not what lies at ${path}: nothing was signed`;
  return new BtPublisherError("DIGEST", message, { detail: { path } });
}
