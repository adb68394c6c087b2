/** Which stretches of which files a stretch of the content is (BEP 3: content is all files in order). */
import type { ContentFile } from "./metainfo.ts";

/** A stretch of one file. Never empty. */
export interface FileSpan {
  readonly fileIndex: number;
  /** Byte offset in the file. */
  readonly position: number;
  /** Bytes. */
  readonly length: number;
}

/** Where a file lies in the content; a `ContentFile` is one. */
export type FilePlacement = Pick<ContentFile, "offset" | "length">;

/**
 * The spans of the `length` bytes from content offset `offset` on, in order. Empty files have none.
 * `files` are in content order without gaps; bytes beyond the last file are left out.
 */
export function fileSpans(
  files: readonly FilePlacement[],
  offset: number,
  length: number,
): FileSpan[] {
  const spans: FileSpan[] = [];
  const end = offset + length;
  for (let fileIndex = lastFileAt(files, offset); fileIndex < files.length; fileIndex++) {
    const file = files[fileIndex] as FilePlacement;
    if (file.offset >= end) break;
    const from = Math.max(offset, file.offset);
    const to = Math.min(end, file.offset + file.length);
    if (to > from) spans.push({ fileIndex, position: from - file.offset, length: to - from });
  }
  return spans;
}

/** Index of the last file that begins at or before `offset` (binary search). */
function lastFileAt(files: readonly FilePlacement[], offset: number): number {
  let low = 0;
  let high = files.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((files[middle] as FilePlacement).offset <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
