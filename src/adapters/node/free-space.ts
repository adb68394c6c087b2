/** Room on a disk. */
import { statfs } from "node:fs/promises";

/** Bytes that we may still write where `path` is. Rejects with an error of the disk. */
export async function freeSpace(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
