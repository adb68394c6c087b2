/** Finds out which pieces of a download are there when it begins again. */
import { Bitfield } from "../../base/bitfield.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { OpenDownloadOptions } from "../../ports/download-storage.ts";
import type { Info } from "../../protocol/metainfo/metainfo.ts";
import type { ResumeData, SavedFile } from "../../protocol/resume/resume-data.ts";
import { type ResumeTrust, resumeTrust } from "../../protocol/resume/resume-trust.ts";
import type { DiskPieceStore } from "./disk-piece-store.ts";
import { systemBoot } from "./file-lock.ts";
import type { ResumeFile } from "./resume-file.ts";

/** What an earlier run left beside the content. */
export type Memory =
  /** Resume data of this very torrent. */
  | { readonly type: "resume"; readonly resume: ResumeData }
  /** Some that cannot be read: there was a download of ours, and that is all we know. */
  | { readonly type: "damaged" }
  /** Nothing, or resume data of another torrent: what is there may be anybody's. */
  | { readonly type: "none" };

/** Trusted pieces that are hashed all the same, in case that somebody changed bytes and no times. */
const SAMPLE_COUNT = 8;

/**
 * What is remembered of the download of `info`. Damaged data and another torrent's are told to
 * `onWarning`.
 * @throws BtPublisherError RESUME_VERSION for data of a newer version, which is kept; STORAGE_IO.
 */
export async function readMemory(
  resumeFile: ResumeFile,
  info: Info,
  { onWarning }: OpenDownloadOptions,
): Promise<Memory> {
  const result = await resumeFile.read();
  if (result === undefined) return { type: "none" };
  const warn = (code: "RESUME_BAD" | "RESUME_MISMATCH", message: string): void =>
    onWarning?.(new BtPublisherError(code, message, { detail: { path: resumeFile.path } }));
  if (!result.ok) {
    const { code, message } = result;
    if (code === "RESUME_VERSION") {
      throw new BtPublisherError(code, message, { detail: { path: resumeFile.path } });
    }
    warn(code, `${message}: all that is there is checked`);
    return { type: "damaged" };
  }
  if (result.value.infoHash !== info.infoHash) {
    warn("RESUME_MISMATCH", "another torrent of this name was being downloaded here");
    return { type: "none" };
  }
  return { type: "resume", resume: result.value };
}

/**
 * The pieces in `store`: those that resume data proves, and those that hash right.
 * @throws BtPublisherError STORAGE_EXISTS when something is there that is none of this torrent and
 * nobody said that it may be overwritten; CANCELLED; STORAGE_IO.
 */
export async function findPieces(
  store: DiskPieceStore,
  info: Info,
  memory: Memory,
  options: OpenDownloadOptions,
): Promise<Bitfield> {
  const { pieceCount } = info.geometry;
  const files = await savedFiles(store);
  if (!files.some((file) => file !== undefined && file.size > 0)) return new Bitfield(pieceCount);
  if (memory.type === "resume") {
    const trust = resumeTrust(memory.resume, info, { files, boot: systemBoot() });
    return confirm(store, trust, options);
  }
  const have = await check(store, Bitfield.full(pieceCount), options);
  if (have.isEmpty && memory.type === "none" && !options.overwrite) throw foreign(store.path);
  return have;
}

/** How the files of `store` look, as resume data keeps it. */
export async function savedFiles(store: DiskPieceStore): Promise<SavedFile[]> {
  return (await store.fileStates()).map(({ size, mtimeMs }) => {
    const mtimeMicros = Math.round(mtimeMs * 1000);
    // A clock that was centuries off does not fit; such a file is never taken for unchanged.
    if (size === undefined || !Number.isSafeInteger(mtimeMicros)) return undefined;
    return { size, mtimeMicros };
  });
}

/** Hashes what is in doubt and a sample of the rest; if the sample is wrong, all of the rest. */
async function confirm(
  store: DiskPieceStore,
  { trusted, doubtful }: ResumeTrust,
  options: OpenDownloadOptions,
): Promise<Bitfield> {
  const rest = trusted.clone();
  const first = doubtful.clone();
  const sample = sampleOf(trusted);
  for (const pieceIndex of sample) {
    first.add(pieceIndex);
    rest.remove(pieceIndex);
  }
  const have = await check(store, first, options);
  const isSampleRight = sample.every((pieceIndex) => have.has(pieceIndex));
  for (const pieceIndex of isSampleRight ? rest : await check(store, rest, options)) {
    have.add(pieceIndex);
  }
  return have;
}

async function check(
  store: DiskPieceStore,
  pieces: Bitfield,
  { onCheck, signal }: OpenDownloadOptions,
): Promise<Bitfield> {
  if (pieces.isEmpty) return pieces.clone();
  return store.check({
    pieces,
    ...(onCheck === undefined ? {} : { onProgress: onCheck }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** A few members of `pieces`, evenly spread, the first and the last among them. */
function sampleOf(pieces: Bitfield): number[] {
  const all = [...pieces];
  const count = Math.min(SAMPLE_COUNT, all.length);
  const chosen = Array.from({ length: count }, (_, i) =>
    Math.round((i * (all.length - 1)) / Math.max(1, count - 1)),
  );
  return chosen.map((i) => all[i] as number);
}

function foreign(path: string): BtPublisherError {
  return new BtPublisherError(
    "STORAGE_EXISTS",
    `${JSON.stringify(path)} exists and holds nothing of this torrent; ` +
      "move it away, or say that it may be overwritten",
    { detail: { path } },
  );
}
