/** Where a torrent's content lies on disk. */
import { type FilePlacement, fileSpans } from "../../protocol/metainfo/file-spans.ts";
import type { Info } from "../../protocol/metainfo/metainfo.ts";
import type { FileRange } from "./disk-jobs.ts";

/** A content file and its place on disk. */
export interface DiskFile extends FilePlacement {
  /** Path below the layout's base, elements joined by "/"; undefined for a pad file. */
  readonly path: string | undefined;
}

/** Maps stretches of content to stretches of files. */
export class DiskLayout {
  /** The directory that the content lies in and never leaves. */
  readonly base: string;
  /** In content order, without gaps. */
  readonly files: readonly DiskFile[];

  constructor(base: string, files: readonly DiskFile[]) {
    this.base = base;
    this.files = files;
  }

  /** The place of the `length` bytes from content offset `offset` on. */
  rangesOf(offset: number, length: number): FileRange[] {
    return fileSpans(this.files, offset, length).map((span) => ({
      path: (this.files[span.fileIndex] as DiskFile).path,
      position: span.position,
      length: span.length,
    }));
  }
}

/**
 * Paths of a torrent's files below the directory that holds its content: `name` for a single file,
 * `name/...` for a directory; undefined for pad files. `name`: what the content is called there.
 */
export function pathsBelow(info: Info, name = info.name): readonly (string | undefined)[] {
  return info.files.map((file) => {
    if (file.isPad) return undefined;
    return info.isDirectory ? [name, ...file.path].join("/") : name;
  });
}
