/**
 * The one error class that leaves the system's edges (roles, adapters, command line).
 * Inside the core an expected failure is a value; a bug is an AssertionError.
 */

/** What went wrong, as a stable code. Codes are public: adding one is fine, renaming one is not. */
export type ErrorCode =
  | MetainfoErrorCode
  /** A magnet link could not be used; the detail says which of reliability's MAG rules failed. */
  | "MAG_NO_HASH"
  | "MAG_HASH"
  | "MAG_AMBIGUOUS"
  | "MAG_UNSUPPORTED"
  | "MAG_ESCAPE"
  | "MAG_SIZE"
  /** Resume data. */
  | "RESUME_BAD"
  | "RESUME_VERSION"
  | "RESUME_MISMATCH"
  /** A path is unsafe, of the wrong kind, or belongs to somebody else's file. */
  | "STORAGE_PATH"
  | "STORAGE_TYPE"
  | "STORAGE_EXISTS"
  | "STORAGE_FULL"
  | "STORAGE_IO"
  | "STORAGE_CHANGED"
  /** The bytes differ from the digest that was declared for them. */
  | "DIGEST"
  /** A piece of the content is not the one that its .torrent has. */
  | "HASH_MISMATCH"
  /** What a publisher signed is something else, or was signed by somebody else, or not at all. */
  | "BAD_SIGNATURE"
  /** Another process works in the same place. */
  | "LOCKED"
  /** Tracker answers that cannot be used. */
  | "TRK_UNREACHABLE"
  | "TRK_FAILURE"
  | "TRK_BAD_ANSWER"
  /** HTTP API and command line. */
  | "USAGE"
  | "CONFIG"
  | "NO_INPUT"
  | "UNAVAILABLE"
  | "DENIED"
  | "NOT_FOUND"
  | "CONFLICT"
  /** It is not what whoever wants to change it has seen. */
  | "CHANGED"
  | "CANCELLED"
  | "INTERNAL";

/** Codes of bad bencoding and bad .torrent files. */
export type MetainfoErrorCode =
  | "BENC_EMPTY"
  | "BENC_SYNTAX"
  | "BENC_TRAILING"
  | "BENC_TRUNCATED"
  | "BENC_DEPTH"
  | "BENC_TOKENS"
  | "BENC_LENGTH"
  | "BENC_INT"
  | "BENC_INT_RANGE"
  | "BENC_DUP_KEY"
  | "BENC_ORDER"
  | "BENC_ENCODE"
  | "META_SIZE"
  | "META_TYPE"
  | "META_INFO_MISSING"
  | "META_LENGTH"
  | "META_AMBIGUOUS"
  | "META_PIECE_LENGTH"
  | "META_PIECES"
  | "META_PIECES_COUNT"
  | "META_NAME"
  | "META_PATH_DEPTH"
  | "META_PATH_LONG"
  | "META_PATH_COLLISION"
  | "META_TOO_MANY_DUPLICATES"
  | "META_TOO_MANY_FILES"
  /** The files are not those that the .torrent lists, or are of a kind that we do not serve. */
  | "META_FILES"
  | "META_EMPTY"
  | "META_SYMLINK"
  | "META_PRIVATE"
  | "META_TRACKER_URL"
  | "META_HYBRID_MISMATCH"
  | "META_UNSUPPORTED_VERSION"
  | "META_V2_ONLY";

/** Exit codes of the command line (sysexits.h). */
export const exitCodes = {
  ok: 0,
  usage: 64,
  badData: 65,
  noInput: 66,
  unavailable: 69,
  software: 70,
  cannotCreate: 73,
  io: 74,
  tryAgain: 75,
  noPermission: 77,
  config: 78,
} as const;

/** Extra facts of an error; safe to log: never a secret. */
export type ErrorDetail = Readonly<Record<string, string | number | boolean | undefined>>;

/** An operation failed: `code` for programs, `message` for people (what happened and what to do). */
export class BtPublisherError extends Error {
  override readonly name = "BtPublisherError";
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(
    code: ErrorCode,
    message: string,
    options: { detail?: ErrorDetail; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail ?? {};
  }
}

/** A value, or why there is none: how the core reports bad input. */
export type Result<Value, Code extends string = ErrorCode> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: Code; readonly message: string };

/** A success. */
export function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

/** A failure; `message` is for people. */
export function fail<Code extends string>(
  code: Code,
  message: string,
): { readonly ok: false; readonly code: Code; readonly message: string } {
  return { ok: false, code, message };
}

/** The value of `result`. @throws BtPublisherError with its code and message. */
export function unwrap<Value>(result: Result<Value>): Value {
  if (result.ok) return result.value;
  throw new BtPublisherError(result.code, result.message);
}
