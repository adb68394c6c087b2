/** Copying into shared memory, which JavaScript itself does slowly. */
import type { CopyBytes } from "../../base/bytes.ts";

/**
 * Node's own memory copy. `TypedArray.set` into a SharedArrayBuffer moves single words atomically:
 * 140 ms a GiB instead of 31 (blocks of 16 KiB, Node 24). Nobody reads a piece buffer before its
 * last block is there, so nothing here needs to be atomic.
 */
export const copyIntoSharedMemory: CopyBytes = (source, target, at) => {
  Buffer.prototype.copy.call(source, target, at);
};
