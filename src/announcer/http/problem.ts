/** Errors of the HTTP API: problem details (RFC 9457) with the system's own stable codes. */
import { BtPublisherError, type ErrorCode, type ErrorDetail } from "../../base/errors.ts";

/** Media type of a problem. */
export const PROBLEM_TYPE = "application/problem+json";

/** The body of an error answer. Further members come from the error's detail. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly [member: string]: string | number | boolean | undefined;
}

const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  USAGE: 400,
  DENIED: 403,
  NOT_FOUND: 404,
  NO_INPUT: 422,
  CONFLICT: 409,
  CHANGED: 412,
  LOCKED: 409,
  CANCELLED: 409,
  DIGEST: 422,
  HASH_MISMATCH: 422,
  BAD_SIGNATURE: 422,
  STORAGE_CHANGED: 409,
  STORAGE_EXISTS: 409,
  STORAGE_FULL: 507,
  STORAGE_PATH: 422,
  STORAGE_TYPE: 422,
  UNAVAILABLE: 503,
  TRK_UNREACHABLE: 503,
};

const titles: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Token needed",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  408: "Too slow",
  409: "Conflict",
  412: "Changed meanwhile",
  413: "Too large",
  415: "Wrong media type",
  421: "Wrong host",
  422: "Cannot be used",
  429: "Too many attempts",
  500: "Internal error",
  503: "Unavailable",
  507: "Disk full",
};

/** The problem that tells of `error`; of a bug of ours it tells no more than that it is one. */
export function problemOf(error: unknown): Problem {
  if (error instanceof BtPublisherError) {
    const isBadContent = /^(META|BENC|MAG)_/.test(error.code);
    const isTooOften = error.detail["retryAfter"] !== undefined;
    const status = isTooOften ? 429 : (statuses[error.code] ?? (isBadContent ? 422 : 500));
    return problem(status, { code: error.code, message: error.message, more: error.detail });
  }
  // What fastify found wrong with the request, by its status.
  const status = (error as { statusCode?: number } | undefined)?.statusCode ?? 500;
  if (status >= 400 && status < 500 && error instanceof Error) {
    return problem(status, { code: "USAGE", message: error.message });
  }
  return problem(500, {
    code: "INTERNAL",
    message: "something went wrong here; the log says what",
  });
}

/** A problem with a status that its code does not have by itself. */
export function problem(
  status: number,
  what: { readonly code: ErrorCode; readonly message: string; readonly more?: ErrorDetail },
): Problem {
  const title = titles[status] ?? "Error";
  return { ...what.more, title, status, detail: what.message, code: what.code };
}
