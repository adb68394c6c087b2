/**
 * The head of an HTTP/1.1 answer (RFC 9112), for answers as a file server gives them. Whatever is
 * unusual is called odd and left to a complete HTTP implementation.
 */
import { latin1 } from "../../base/bytes.ts";

/** A head, and what it says of the body. Header names are lower case. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes that the body has. */
  readonly bodyLength: number;
  /** Whether the connection may be asked again after the body. */
  readonly keepsAlive: boolean;
}

/** What the first bytes of an answer are. */
export type ResponseHeadResult =
  /** The body begins at byte `length`. */
  | { readonly type: "head"; readonly head: ResponseHead; readonly length: number }
  /** More bytes are needed. */
  | { readonly type: "incomplete" }
  /** No head, a head too long, or one whose body has no plain length; then it has a status. */
  | { readonly type: "odd"; readonly status: number | undefined };

const MAX_HEAD_LENGTH = 16 * 1024;
const LINE_FEED = 0x0a;
const incomplete = { type: "incomplete" } as const;

function odd(status?: string): ResponseHeadResult {
  return { type: "odd", status: status === undefined ? undefined : Number(status) };
}

/** Reads the head that `bytes` begin with. */
export function parseResponseHead(bytes: Uint8Array): ResponseHeadResult {
  const length = headLength(bytes);
  if (length === undefined) return bytes.length < MAX_HEAD_LENGTH ? incomplete : odd();
  const [statusLine = "", ...lines] = latin1(bytes.subarray(0, length - 4)).split("\r\n");
  const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(statusLine)?.[1];
  const headers = parseHeaders(lines);
  if (status === undefined || headers === undefined) return odd(status);
  const bodyLength = plainLength(headers);
  // 1xx, 204 and 304 have no body, whatever their headers say; nobody asked for them.
  if (bodyLength === undefined || /^(?:1..|204|304)$/.test(status)) return odd(status);
  const keepsAlive = !/\bclose\b/i.test(headers["connection"] ?? "");
  return {
    type: "head",
    head: { status: Number(status), headers, bodyLength, keepsAlive },
    length,
  };
}

/** Bytes up to and with the empty line; undefined while there is none. */
function headLength(bytes: Uint8Array): number | undefined {
  const end = Math.min(bytes.length, MAX_HEAD_LENGTH);
  for (
    let at = bytes.indexOf(LINE_FEED);
    at >= 0 && at < end;
    at = bytes.indexOf(LINE_FEED, at + 1)
  ) {
    if (at >= 3 && latin1(bytes.subarray(at - 3, at)) === "\r\n\r") return at + 1;
  }
  return undefined;
}

/** Values by name, those of one name joined by commas; undefined when a line is no header. */
function parseHeaders(lines: readonly string[]): Readonly<Record<string, string>> | undefined {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) return undefined;
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}

/** Content-Length, unless something says that the body is not simply these bytes. */
function plainLength(headers: Readonly<Record<string, string>>): number | undefined {
  const length = headers["content-length"] ?? "";
  const isPlain =
    headers["transfer-encoding"] === undefined &&
    headers["location"] === undefined &&
    (headers["content-encoding"] ?? "identity").toLowerCase() === "identity";
  return isPlain && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
