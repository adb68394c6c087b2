/** Copying into shared memory, which JavaScript itself does slowly. */
import type { CopyBytes } from "../../base/bytes.ts";

/**
 * One plain memory copy. `TypedArray.set` and `Buffer.copy` into a SharedArrayBuffer move single
 * words atomically, and single bytes where source and target are not aligned alike, as payload
 * behind 13-byte heads never is: 320 ms a GiB. `fill` with a source as long as the range is one
 * memcpy: 33 ms (blocks of 16 KiB, Node 24). Nothing here needs to be atomic, since nobody reads a
 * piece buffer before its last block is there.
 */
export const copyIntoSharedMemory: CopyBytes = (source, target, at) => {
  if (source.length > 0) Buffer.prototype.fill.call(target, source, at, at + source.length);
};
