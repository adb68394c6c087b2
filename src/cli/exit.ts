/** Error codes to exit codes: sysexits.h, and 128 + the signal for what a signal cut short. */
import {
  BtPublisherError,
  type ErrorCode,
  exitCodes,
  type MetainfoErrorCode,
} from "../base/errors.ts";

/** Exit code of a command whose output was closed by its reader (128 + SIGPIPE). */
export const EXIT_BROKEN_PIPE = 141;

/** 128 + the signal's number: what a shell says of a program that the signal ended. */
export const signalExitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Codes of what somebody's bytes got wrong: all of them are bad data. */
type BadDataCode = MetainfoErrorCode | Extract<ErrorCode, `MAG_${string}`>;

const exitCodesOfErrors: Readonly<Record<Exclude<ErrorCode, BadDataCode>, number>> = {
  RESUME_BAD: exitCodes.badData,
  RESUME_VERSION: exitCodes.badData,
  RESUME_MISMATCH: exitCodes.badData,
  STORAGE_PATH: exitCodes.cannotCreate,
  STORAGE_TYPE: exitCodes.cannotCreate,
  STORAGE_EXISTS: exitCodes.cannotCreate,
  STORAGE_FULL: exitCodes.io,
  STORAGE_IO: exitCodes.io,
  STORAGE_CHANGED: exitCodes.tryAgain,
  DIGEST: exitCodes.badData,
  HASH_MISMATCH: exitCodes.badData,
  BAD_SIGNATURE: exitCodes.badData,
  LOCKED: exitCodes.tryAgain,
  TRK_UNREACHABLE: exitCodes.unavailable,
  TRK_FAILURE: exitCodes.unavailable,
  TRK_BAD_ANSWER: exitCodes.unavailable,
  USAGE: exitCodes.usage,
  CONFIG: exitCodes.config,
  NO_INPUT: exitCodes.noInput,
  NOT_FOUND: exitCodes.noInput,
  UNAVAILABLE: exitCodes.unavailable,
  DENIED: exitCodes.noPermission,
  CONFLICT: exitCodes.cannotCreate,
  CHANGED: exitCodes.tryAgain,
  CANCELLED: signalExitCodes.SIGINT,
  INTERNAL: exitCodes.software,
};

/** The exit code for whatever a command threw; 70 (software) for what is a bug of ours. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof BtPublisherError)) return exitCodes.software;
  return isBadDataCode(error.code) ? exitCodes.badData : exitCodesOfErrors[error.code];
}

function isBadDataCode(code: ErrorCode): code is BadDataCode {
  return /^(?:BENC|META|MAG)_/.test(code);
}
