/** Small files of our own: read without surprises, replaced in one step. */
import { constants } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { BtPublisherError } from "../../base/errors.ts";
import { diskError, errnoOf } from "./disk-error.ts";

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const REPLACE =
  constants.O_WRONLY |
  constants.O_CREAT |
  constants.O_TRUNC |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK;

/**
 * The bytes of the file at `path`, at most the first `maxBytes` of them; undefined when there is no
 * such file.
 * @throws BtPublisherError STORAGE_PATH for a link, STORAGE_TYPE for what is no regular file;
 * STORAGE_IO.
 */
export async function readSmallFile(
  path: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path, READ);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw notAFile(path);
      const buffer = Buffer.alloc(Math.min(stats.size, maxBytes));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw diskError(error, "read", path);
  }
}

/**
 * Makes `bytes` the content of the file at `path`: whoever looks, also after a power cut, finds
 * either the old content or all of the new.
 * @throws BtPublisherError STORAGE_FULL, STORAGE_IO; then the old content is still there.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  try {
    const file = await open(temporary, REPLACE, 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw diskError(error, "write", path);
  }
}

/** Removes the file at `path`; it may be missing. @throws BtPublisherError STORAGE_IO */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw diskError(error, "remove", path);
  }
}

/** Makes names in `directory` durable, where the file system can do that. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    if (errnoOf(error) !== "EINVAL" && errnoOf(error) !== "ENOTSUP") throw error;
  } finally {
    await handle.close();
  }
}

function notAFile(path: string): BtPublisherError {
  return new BtPublisherError(
    "STORAGE_TYPE",
    `${JSON.stringify(path)} is not a regular file; move it away`,
    { detail: { path } },
  );
}
