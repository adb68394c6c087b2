/** Where a download keeps its resume data: a hidden file beside the content, gone when it is complete. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { BtPublisherError, type Result } from "../../base/errors.ts";
import {
  encodeResumeData,
  parseResumeData,
  type ResumeData,
  type ResumeFields,
} from "../../protocol/resume/resume-data.ts";
import { diskError, errnoOf } from "./disk-error.ts";
import { sha1 } from "./disk-hash.ts";
import { readSmallFile, removeFile, replaceFile } from "./disk-small-file.ts";

const SUFFIX = ".btpublisher";
/** UTF-8 bytes of a name before the suffixes; most file systems allow 255 in all. */
const MAX_STEM_BYTES = 200;
/** The info dictionary has at most 10 MB, each of 100,000 files some 30 bytes. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Files that a search looks into; more do not belong to one person's downloads. */
const MAX_SEARCHED = 1000;

/** The resume data of the download of `name` in `directory`. One process only: see `lockPath`. */
export class ResumeFile {
  readonly path: string;

  constructor(directory: string, name: string) {
    this.path = join(directory, `.${stemOf(name)}${SUFFIX}`);
  }

  /** Where the lock of this download is. */
  get lockPath(): string {
    return `${this.path}-lock`;
  }

  /**
   * What is there; undefined when nothing is.
   * @throws BtPublisherError STORAGE_PATH, STORAGE_TYPE, STORAGE_IO.
   */
  async read(): Promise<Result<ResumeData, "RESUME_BAD" | "RESUME_VERSION"> | undefined> {
    const bytes = await readSmallFile(this.path, MAX_BYTES);
    return bytes === undefined ? undefined : parseResumeData(bytes, sha1);
  }

  /** Replaces what is there, durably and in one step. @throws BtPublisherError STORAGE_FULL, STORAGE_IO */
  async write(data: ResumeFields): Promise<void> {
    await replaceFile(this.path, encodeResumeData(data, sha1));
  }

  /** May be called when there is nothing. @throws BtPublisherError STORAGE_IO */
  async remove(): Promise<void> {
    await removeFile(this.path);
  }
}

/**
 * The resume data of all downloads in `directory` that can be read; none when there is no such
 * directory. @throws BtPublisherError STORAGE_IO
 */
export async function* findResumeData(directory: string): AsyncGenerator<ResumeData> {
  const names = (await listNames(directory)).filter((name) => /^\..*\.btpublisher$/.test(name));
  for (const name of names.slice(0, MAX_SEARCHED)) {
    const bytes = await readOrSkip(join(directory, name));
    const parsed = bytes === undefined ? undefined : parseResumeData(bytes, sha1);
    if (parsed?.ok === true) yield parsed.value;
  }
}

/** The name as far as a file name has room for it. Whose data it is, the data itself says. */
function stemOf(name: string): string {
  let stem = "";
  for (const character of name) {
    if (Buffer.byteLength(stem + character) > MAX_STEM_BYTES) break;
    stem += character;
  }
  return stem;
}

async function listNames(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw diskError(error, "read", directory);
  }
}

/** Of many files one may be no file, or somebody else's: that is not this search's trouble. */
async function readOrSkip(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readSmallFile(path, MAX_BYTES);
  } catch (error) {
    if (error instanceof BtPublisherError) return undefined;
    throw error;
  }
}
