/**
 * The publish token of a server: made once from the system's generator and written to a file that
 * only its owner may read, for people and for programs on the same machine. What the server itself
 * goes by is the digest beside it, so that the file may be moved away.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { open, readFile, rename, stat } from "node:fs/promises";
import { BtPublisherError } from "../../base/errors.ts";
import { diskError, errnoOf } from "./disk-error.ts";

/** A server's publish token. */
export interface PublishToken {
  /** Where the token can be read; undefined when its file was moved away. */
  readonly path: string | undefined;
  /** Whether `token` is the one, in a time that does not tell how far it is right. */
  isValid(token: string): boolean;
}

const RANDOM_BYTES = 32;

/** Shorter secrets can be guessed, and are somebody's idea (CFG-06). */
const MIN_LENGTH = 32;

/**
 * The token in the file at `path`, made there when neither it nor its digest (`PATH.sha256`) is
 * there. Putting another secret into the file, or removing both files, replaces it at the next
 * start.
 *
 * @throws BtPublisherError CONFIG when others than its owner may read the file, or what it holds is
 * too short (CFG-06); a code of the disk when it cannot be read or made.
 */
export async function openPublishToken(path: string): Promise<PublishToken> {
  const digestPath = `${path}.sha256`;
  try {
    const kept = await readIfThere(digestPath);
    let token = await readIfThere(path);
    if (token === undefined && kept !== undefined) return tokenOf(parseDigest(kept, digestPath));
    if (token === undefined) {
      token = `btp_${randomBytes(RANDOM_BYTES).toString("base64url")}`;
      await writePrivately(path, token);
    }
    await assertGood(path, token);
    const digest = digestOf(token);
    if (kept !== digest.toString("hex")) await writePrivately(digestPath, digest.toString("hex"));
    return tokenOf(digest, path);
  } catch (error) {
    throw diskError(error, "open", path);
  }
}

function tokenOf(digest: Buffer, path?: string): PublishToken {
  return { path, isValid: (token) => timingSafeEqual(digestOf(token), digest) };
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function parseDigest(text: string, path: string): Buffer {
  if (/^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, "hex");
  const message = `${path} is no digest of a token: remove it to have a new token made`;
  throw new BtPublisherError("CONFIG", message, { detail: { path } });
}

async function assertGood(path: string, token: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    const message = `others may read the token ${path}: run chmod 600 on it, or remove it and its .sha256 to have a new one made`;
    throw new BtPublisherError("CONFIG", message, { detail: { path } });
  }
  if (token.length >= MIN_LENGTH) return;
  const message = `the token in ${path} is too short: remove it and its .sha256 to have one made`;
  throw new BtPublisherError("CONFIG", message, { detail: { path } });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "latin1")).trim();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Complete or not at all, also through a power cut. */
async function writePrivately(path: string, text: string): Promise<void> {
  const draft = `${path}.tmp`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(`${text}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
