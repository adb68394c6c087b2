/**
 * Which of the pieces that resume data claims can be taken as they are, and which must be hashed
 * first. A file proves its pieces when it looks exactly as it did when the data was saved.
 */
import { Bitfield } from "../../base/bitfield.ts";
import type { ContentFile, Info } from "../metainfo/metainfo.ts";
import { claimedPieces, type ResumeData, type SavedFile } from "./resume-data.ts";

/** The content as it is now. */
export interface ContentNow {
  /** In content order, pad files left out. */
  readonly files: readonly SavedFile[];
  /** Names this run of the system; empty when it has no name. */
  readonly boot: string;
}

export interface ResumeTrust {
  /** Claimed, and there is no reason to doubt it. */
  readonly trusted: Bitfield;
  /** May be there or not, whatever is claimed. Never overlaps with `trusted`. */
  readonly doubtful: Bitfield;
}

/** What to believe of `resume`, which must be of `info`. */
export function resumeTrust(resume: ResumeData, info: Info, now: ContentNow): ResumeTrust {
  const { pieceCount } = info.geometry;
  const files = info.files.filter(({ isPad }) => !isPad);
  if (!isSettled(resume, now) || resume.files.length !== files.length) {
    return { trusted: new Bitfield(pieceCount), doubtful: Bitfield.full(pieceCount) };
  }
  const doubtful = new Bitfield(pieceCount);
  for (const [i, file] of files.entries()) {
    addPieces(doubtful, info, file, provenBytes(resume.files[i], now.files[i]));
  }
  const trusted = claimedPieces(resume, pieceCount);
  for (const pieceIndex of doubtful) trusted.remove(pieceIndex);
  return { trusted, doubtful };
}

/** Whether the content has certainly not changed by itself since it was saved. */
function isSettled(resume: ResumeData, now: ContentNow): boolean {
  if (resume.phase === "durable") return true;
  return resume.phase === "closed" && resume.boot !== "" && resume.boot === now.boot;
}

/** How much of a file, from its begin, is as it was: all that there is, or nothing. */
function provenBytes(saved: SavedFile, now: SavedFile): number {
  if (saved?.size !== now?.size || saved?.mtimeMicros !== now?.mtimeMicros) return 0;
  return now?.size ?? 0;
}

/** Adds to `pieces` all that have bytes of `file` from `begin` on. */
function addPieces(pieces: Bitfield, info: Info, file: ContentFile, begin: number): void {
  if (begin >= file.length) return;
  const { pieceLength } = info.geometry;
  const last = Math.floor((file.offset + file.length - 1) / pieceLength);
  for (let i = Math.floor((file.offset + begin) / pieceLength); i <= last; i++) pieces.add(i);
}
