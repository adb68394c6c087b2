/** Requests to the server's API, and the shapes of its answers that pages use. */

/** What the server refused, in its own words. */
export class ApiError extends Error {
  readonly status: number;
  /** What tells it apart, as in `BAD_PASSWORD`; empty when the server did not say. */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** A problem of RFC 9457, as far as it is used here. */
interface Problem {
  readonly detail?: string;
  readonly reason?: string;
  readonly code?: string;
}

/**
 * `key`: has the server do it once, however often it is sent.
 * @throws ApiError when the server refuses or cannot be reached (status 0).
 */
export async function request(
  method: string,
  path: string,
  body?: unknown,
  key?: string,
): Promise<Response> {
  const response = await fetch(path, {
    method,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(key !== undefined && { "idempotency-key": key }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch(() => undefined);
  if (response === undefined) throw unreachable();
  if (!response.ok) throw errorOf(response.status, await response.text());
  return response;
}

/** The JSON that `path` answers with. @throws ApiError as `request`. */
export async function getJson<T>(path: string): Promise<T> {
  return (await (await request("GET", path)).json()) as T;
}

/** Sends JSON, and has JSON back. @throws ApiError as `request`. */
export async function sendJson<T>(method: string, path: string, body?: unknown): Promise<T> {
  const text = await (await request(method, path, body)).text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/**
 * Has the server make something at `path`. Whoever presses the button again because no answer came
 * gets what the first press made, and not a second one.
 */
export function createMaker<T>(path: string): (body: object) => Promise<T> {
  let last: { readonly text: string; readonly key: string } | undefined;
  return async (body) => {
    const text = JSON.stringify(body);
    if (last?.text !== text) last = { text, key: randomKey() };
    const answer = await request("POST", path, body, last.key);
    last = undefined;
    return (await answer.json()) as T;
  };
}

/** `randomUUID` would need HTTPS. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join(
    "-",
  );
}

/** The error of an answer with that status and body. */
export function errorOf(status: number, body: string): ApiError {
  const { detail, reason, code } = parseProblem(body);
  const message = detail ?? `The server answered with status ${status}.`;
  return new ApiError(status, reason ?? code ?? "", sentence(message));
}

/** What is said while the server does not answer. */
export function unreachable(): ApiError {
  return new ApiError(0, "UNREACHABLE", "The server cannot be reached. Is the network up?");
}

/** An error in words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function parseProblem(body: string): Problem {
  try {
    return JSON.parse(body) as Problem;
  } catch {
    return {};
  }
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** The address of one publication in the API. */
export function publicationPath(name: string, rest = ""): string {
  return `/api/v1/publications/${encodeURIComponent(name)}${rest}`;
}

/** What an account may at most. */
export type Role = "downloader" | "publisher" | "maintainer";

/** What a token may be used for. */
export type Scope = "download" | "publish" | "read:stats" | "admin";

/** `GET /api/v1/me` */
export interface Me {
  readonly name: string;
  readonly role: Role;
  readonly scopes: readonly Scope[];
}

/** `GET /api/v1/server`, as far as it is used here. */
export interface ServerInfo {
  readonly version: string;
  readonly publicUrl: string;
  readonly needsSetup?: boolean;
}

/** How much the server takes part. */
export interface Policy {
  readonly policy: "fast" | "balanced" | "thrifty";
  readonly floor?: number;
  readonly minRateBytesPerSecond?: number;
  readonly egressBudgetBytes?: number;
  readonly onBudgetEnd?: "serve-floor-only" | "stop" | "ignore";
  readonly deadline?: string;
}

/** `GET /api/v1/publications/NAME` */
export interface PublicationView {
  readonly name: string;
  readonly contentName: string;
  readonly isDirectory: boolean;
  readonly bytes: number;
  readonly infoHash: string;
  readonly catalogue: "public" | "members" | "private";
  /** How far that is enforced; absent when it is public. */
  readonly access?: "tracker" | "admitted" | "ticketed";
  readonly policy: Policy;
  readonly pageUrl: string;
  readonly torrentUrl: string;
  readonly magnet?: string;
  readonly files: readonly { readonly path: readonly string[]; readonly url?: string }[];
}
