/**
 * Secrets in files: made once from the system's generator, readable by their owner only. Two
 * processes that start at once end up with the same key.
 */
import { randomBytes } from "node:crypto";
import { link, open, readFile, rm, stat } from "node:fs/promises";
import { fromHex, toHex } from "../../base/bytes.ts";
import { BtPublisherError } from "../../base/errors.ts";
import { diskError } from "./disk-error.ts";

const KEY_LENGTH = 32;

/**
 * The 32-byte key in the file at `path` (64 hexadecimal digits), which is made when it is missing.
 *
 * @throws BtPublisherError CONFIG when the file holds something else, or when others than its owner
 * may read it (CFG-06); a code of the disk when it cannot be read or made.
 */
export async function readOrCreateKey(path: string): Promise<Uint8Array> {
  try {
    await createKey(path);
  } catch (error) {
    throw diskError(error, "create", path);
  }
  try {
    return await readKey(path);
  } catch (error) {
    throw diskError(error, "read", path);
  }
}

async function readKey(path: string): Promise<Uint8Array> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new BtPublisherError(
      "CONFIG",
      `others may read the key ${path}: run chmod 600 on it, or make a new one if they did`,
      { detail: { path } },
    );
  }
  const key = fromHex((await readFile(path, "latin1")).trim());
  if (key?.length === KEY_LENGTH) return key;
  throw new BtPublisherError(
    "CONFIG",
    `${path} is no key (${2 * KEY_LENGTH} hexadecimal digits): restore it, or remove it to have a new one made`,
    { detail: { path } },
  );
}

/** Makes the key under another name and links it in place: nobody reads half a key. */
async function createKey(path: string): Promise<void> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (exists) return;
  const draft = `${path}.${toHex(randomBytes(6))}.tmp`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${toHex(randomBytes(KEY_LENGTH))}\n`);
    await file.sync();
    await link(draft, path).catch(ignoreExisting);
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

/** Another process was faster: its key counts. */
function ignoreExisting(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}
