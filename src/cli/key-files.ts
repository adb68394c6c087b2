/** Keys of publishers as files, in the format of minisign without a password. */
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import process from "node:process";
import { diskError } from "../adapters/node/disk-error.ts";
import { signingCrypto } from "../adapters/node/signing-crypto.ts";
import { BtPublisherError, unwrap } from "../base/errors.ts";
import { createSecretKey } from "../protocol/signature/minisign.ts";
import {
  encodePublicKey,
  encodePublicKeyFile,
  encodeSecretKeyFile,
  MAX_MINISIGN_LENGTH,
  type MinisignSecretKey,
  parseSecretKey,
} from "../protocol/signature/minisign-format.ts";

/**
 * Makes a key pair: the secret key at `path`, for its owner's eyes, the public key at `path`.pub.
 * @returns the public key. @throws STORAGE_EXISTS when there is either; a code of the disk.
 */
export async function createKeyFiles(path: string): Promise<string> {
  const key = createSecretKey(signingCrypto);
  await assertFree(`${path}.pub`);
  await writeNew(path, encodeSecretKeyFile(key), 0o600);
  await writeNew(`${path}.pub`, encodePublicKeyFile(key), 0o644);
  return encodePublicKey(key);
}

/**
 * The secret key in the file at `path`.
 * @throws NO_INPUT; CONFIG for what is no key, or what others may read; USAGE when it has a password.
 */
export async function readSecretKey(path: string): Promise<MinisignSecretKey> {
  const text = await readSmallFile(path);
  const { mode } = await stat(path);
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    const message = `others may read the key ${path}: run chmod 600 on it, or make a new one if they did`;
    throw new BtPublisherError("CONFIG", message, { detail: { path } });
  }
  const parsed = parseSecretKey(text);
  if (parsed.ok) return parsed.value;
  return unwrap({ ...parsed, message: `${path}: ${parsed.message}` });
}

/** The text of a file of minisign's. @throws NO_INPUT when it cannot be read, or is too long. */
export async function readSmallFile(path: string): Promise<string> {
  try {
    const parts: Buffer[] = [];
    // By what comes, not by what the file system says: a device says 0 and never ends.
    const stream = createReadStream(path, { end: MAX_MINISIGN_LENGTH });
    for await (const part of stream) parts.push(part as Buffer);
    const bytes = Buffer.concat(parts);
    if (bytes.length <= MAX_MINISIGN_LENGTH) return bytes.toString("utf8");
    throw new Error("it is too long for a file of minisign's");
  } catch (cause) {
    const message = `cannot read ${path}: ${(cause as Error).message}`;
    throw new BtPublisherError("NO_INPUT", message, { detail: { path }, cause });
  }
}

async function assertFree(path: string): Promise<void> {
  const isFree = await stat(path).then(
    () => false,
    () => true,
  );
  if (!isFree) throw exists(path);
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    const file = await open(path, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw exists(path);
    throw diskError(error, "create", path);
  }
}

function exists(path: string): BtPublisherError {
  const message = `there is ${path} already, and keys are not overwritten: choose another name`;
  return new BtPublisherError("STORAGE_EXISTS", message, { detail: { path } });
}
