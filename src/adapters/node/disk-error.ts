/** Failures of the file system, as errors that say which file and what to do. */
import { BtPublisherError, type ErrorCode } from "../../base/errors.ts";

/** What was tried, as it reads after "cannot". */
export type DiskAction = "create" | "open" | "read" | "write" | "sync" | "inspect" | "remove";

const CODES: Readonly<Record<string, { readonly code: ErrorCode; readonly advice: string }>> = {
  ENOSPC: { code: "STORAGE_FULL", advice: "the disk is full; free some space" },
  EDQUOT: { code: "STORAGE_FULL", advice: "your disk quota is used up; free some space" },
  ELOOP: { code: "STORAGE_PATH", advice: "it is a symbolic link, and links are not followed" },
  ENOTDIR: { code: "STORAGE_TYPE", advice: "a file is where a directory is expected" },
  EISDIR: { code: "STORAGE_TYPE", advice: "a directory is where a file is expected" },
  ENXIO: { code: "STORAGE_TYPE", advice: "it is not a regular file" },
  EACCES: { code: "STORAGE_IO", advice: "permission denied" },
  EPERM: { code: "STORAGE_IO", advice: "permission denied" },
  EROFS: { code: "STORAGE_IO", advice: "the file system is read-only" },
  ENAMETOOLONG: { code: "STORAGE_PATH", advice: "the name is too long for this file system" },
  EMFILE: { code: "STORAGE_IO", advice: "too many open files; raise the limit (ulimit -n)" },
};

/** Turns a failed call on `path` into a BtPublisherError; one that is already passes unchanged. */
export function diskError(cause: unknown, action: DiskAction, path: string): BtPublisherError {
  if (cause instanceof BtPublisherError) return cause;
  const errno = errnoOf(cause);
  const known = errno === undefined ? undefined : CODES[errno];
  const reason = known?.advice ?? (cause instanceof Error ? cause.message : String(cause));
  return new BtPublisherError(
    known?.code ?? "STORAGE_IO",
    `cannot ${action} ${JSON.stringify(path)}: ${reason}`,
    { detail: { path, errno }, cause },
  );
}

/** The error of a file at `path` that was not left alone while it was hashed. */
export function changedWhileHashing(path: string): BtPublisherError {
  return new BtPublisherError(
    "STORAGE_CHANGED",
    `${JSON.stringify(path)} changed while it was being hashed; ` +
      "start again when nobody writes to it any more",
    { detail: { path } },
  );
}

/** The system's name of a failure (`ENOENT`), when `cause` has one. */
export function errnoOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}
