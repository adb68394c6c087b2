/** Looks at a torrent's files and makes them ready. Never cuts what it was not told to. */
import { closeSync, ftruncateSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { BtPublisherError } from "../../base/errors.ts";
import { diskError } from "./disk-error.ts";
import type { ExpectedFile, FileState, PrepareJob, StatJob } from "./disk-jobs.ts";
import { openContentFile, statContentFile } from "./disk-open.ts";

/**
 * Carries out a `PrepareJob`: first looks at everything, then changes what must change.
 * @returns the states as found, in the order of the job's files.
 * @throws BtPublisherError STORAGE_EXISTS for a file that is longer than expected; STORAGE_PATH,
 * STORAGE_TYPE, STORAGE_IO.
 */
export function prepareFiles(job: PrepareJob): FileState[] {
  const names = new DiskNames(job.base);
  const known = new Set<string>();
  const states = job.files.map(({ path }) => {
    const found = names.find(path);
    return stateOf(found, statContentFile(job.base, found, known));
  });
  for (const [i, state] of states.entries()) {
    const file = job.files[i] as ExpectedFile;
    if ((state.size ?? 0) > file.length && !job.overwrite) throw tooLong(job, file, state);
  }
  if (job.mode === "seed") return states;
  for (const [i, state] of states.entries()) makeReady(job, job.files[i] as ExpectedFile, state);
  return states;
}

/** Carries out a `StatJob`. @throws BtPublisherError STORAGE_IO */
export function statFiles(job: StatJob): FileState[] {
  const known = new Set<string>();
  return job.paths.map((path) => {
    try {
      return stateOf(path, statContentFile(job.base, path, known));
    } catch (error) {
      if (error instanceof BtPublisherError && error.code === "STORAGE_IO") throw error;
      return stateOf(path, undefined);
    }
  });
}

function stateOf(path: string, stats: Stats | undefined): FileState {
  const { size, mtimeMs, ino } = stats ?? { size: undefined, mtimeMs: 0, ino: 0 };
  return { path, size, mtimeMs, ino };
}

/** Makes an empty file, or cuts one that is too long. */
function makeReady(job: PrepareJob, file: ExpectedFile, state: FileState): void {
  const isMissing = state.size === undefined && file.length === 0;
  const isTooLong = state.size !== undefined && state.size > file.length;
  if (!isMissing && !isTooLong) return;
  const fd = openContentFile(job.base, state.path, "write") as number;
  try {
    if (isTooLong) ftruncateSync(fd, file.length);
  } catch (error) {
    throw diskError(error, "write", join(job.base, state.path));
  } finally {
    closeSync(fd);
  }
}

function tooLong(job: PrepareJob, file: ExpectedFile, state: FileState): BtPublisherError {
  const path = join(job.base, state.path);
  return new BtPublisherError(
    "STORAGE_EXISTS",
    `${JSON.stringify(path)} exists and is longer (${state.size} bytes) than the torrent's file ` +
      `(${file.length} bytes), so it is another file; move it away` +
      (job.mode === "download" ? ", or say that it may be overwritten" : ""),
    { detail: { path, size: state.size, expected: file.length } },
  );
}

/**
 * Finds files whose names are on disk in another Unicode form (decomposed, as macOS writes them)
 * than in the .torrent: byte by byte first, then by their composed form.
 */
class DiskNames {
  readonly #base: string;
  /** Name on disk by itself and by its composed form, for each directory. */
  readonly #listings = new Map<string, ReadonlyMap<string, string>>();

  constructor(base: string) {
    this.#base = base;
  }

  /** `path` as it is on disk, or `path` itself when nothing like it is there. */
  find(path: string): string {
    // Only characters beyond ASCII have several forms.
    if (!/[^\0-\x7f]/.test(path)) return path;
    let found = "";
    for (const element of path.split("/")) {
      const names = this.#list(join(this.#base, found));
      const name = names.get(element) ?? names.get(element.normalize("NFC")) ?? element;
      found += (found === "" ? "" : "/") + name;
    }
    return found;
  }

  #list(directory: string): ReadonlyMap<string, string> {
    const known = this.#listings.get(directory);
    if (known !== undefined) return known;
    const names = new Map<string, string>();
    for (const name of listNames(directory)) {
      const composed = name.normalize("NFC");
      if (!names.has(composed)) names.set(composed, name);
      // Whoever asks for exactly this name gets it.
      names.set(name, name);
    }
    this.#listings.set(directory, names);
    return names;
  }
}

function listNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Missing or unreadable: whoever opens the file will find out and say so.
    return [];
  }
}
