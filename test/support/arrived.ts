/** Whether a client has everything, byte for byte, and nothing else. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { ClientKind } from "./clients.ts";
import { hashFiles } from "./odd-tree.ts";

/** Compares every file of `original` with `copy`, as far as `kind` of client creates files. */
export function assertArrived(kind: ClientKind, original: string, copy: string): void {
  const expected = hashFiles(original);
  if (!kind.createsEmptyFiles) {
    for (const path of expected.keys()) {
      if (statSync(join(original, path)).size === 0) expected.delete(path);
    }
  }
  assert.deepEqual(hashFiles(copy), expected);
}
