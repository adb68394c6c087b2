/**
 * The server's API for programs, in Node and in browsers: `fetch` and nothing else. docs/api.md and
 * docs/live.md say what each call does.
 */
import type { ApiAccount } from "../protocol/api/access.ts";
import type { LedgerHistory, LedgerPage } from "../protocol/api/ledger.ts";
import {
  applyDetailDelta,
  applyOverviewDelta,
  type LiveDetail,
  type LiveDetailDelta,
  type LiveOverview,
  type LiveOverviewDelta,
} from "../protocol/api/live.ts";
import type {
  ApiHeldPolicy,
  ApiLocalPlan,
  ApiPlan,
  ApiPolicyChange,
  ApiProblem,
  ApiPublication,
  ApiPublications,
  ApiPublicationView,
  ApiPublished,
  ApiPublishLine,
  ApiServer,
  ApiSignature,
  ApiUpload,
} from "../protocol/api/values.ts";
import { chunksOf, eventsOf, linesOf } from "./sse.ts";

/** How to reach a server. */
export interface ClientOptions {
  /** Base URL without a slash at its end; empty in a page of the server itself. */
  readonly url: string;
  /** An API token; in a page its session is enough. */
  readonly token?: string;
  /** Ends all calls. */
  readonly signal?: AbortSignal;
}

/** Hears hashed bytes of all bytes. */
export type OnPublishProgress = (bytes: number, total: number) => void;

/** The server refused, or could not be reached (status 0): `problem` says why. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** The path of one publication, or of what is below it. */
export function publicationPath(name: string, rest = ""): string {
  return `/api/v1/publications/${encodeURIComponent(name)}${rest}`;
}

/** All calls reject with `ApiError`, or, when the signal ended them, as `fetch` does. */
export class Client {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Any other call: a JSON answer, or undefined when there is none. */
  async call<Answer>(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const response = await this.#send(method, path, jsonBody(body, headers));
    return (response.status === 204 ? undefined : await this.#json(response)) as Answer;
  }

  server(): Promise<ApiServer> {
    return this.call("GET", "/api/v1/server");
  }

  /** Whose token or session it is. */
  me(): Promise<ApiAccount> {
    return this.call("GET", "/api/v1/me");
  }

  /** In browsers: begins a session. */
  logIn(name: string, password: string): Promise<ApiAccount> {
    return this.call("POST", "/api/v1/sessions", { name, password });
  }

  /** In browsers: makes the first maintainer by the link's token, and begins its session. */
  async setUp(token: string, name: string, password: string): Promise<void> {
    await this.call("POST", "/api/v1/setup", { token, name, password, session: true });
  }

  /** In browsers: ends the session. */
  logOut(): Promise<void> {
    return this.call("DELETE", "/api/v1/sessions/current");
  }

  /** Every publication that one may get, newest first, page by page; `text`: those with it in a name. */
  async *publications(text = ""): AsyncIterable<ApiPublications["publications"][number]> {
    const query = text === "" ? "" : `&q=${encodeURIComponent(text)}`;
    let next: string | undefined = `/api/v1/publications?limit=100${query}`;
    while (next !== undefined) {
      const page: ApiPublications = await this.call("GET", next);
      yield* page.publications;
      next = page.next;
    }
  }

  publication(name: string): Promise<ApiPublicationView> {
    return this.call("GET", publicationPath(name));
  }

  /** A publication in any state; more of what it tells is in docs/api.md. */
  status(name: string): Promise<ApiPublication> {
    return this.call("GET", publicationPath(name, "/status"));
  }

  /** Begins an upload, or finds the open one of the same plan. */
  planUpload(plan: ApiPlan): Promise<ApiUpload> {
    return this.call("POST", "/api/v1/publications", plan);
  }

  upload(name: string): Promise<ApiUpload> {
    return this.call("GET", publicationPath(name, "/upload"));
  }

  /**
   * Publishes one file by one request: all of it, or nothing of it stays. `query` as docs/api.md says,
   * for example `{ name: "big-2", policy: "thrifty" }`.
   */
  async publishFile(
    fileName: string,
    body: Blob | Uint8Array<ArrayBuffer>,
    query: Readonly<Record<string, string>> = {},
  ): Promise<ApiPublished> {
    const parameters = new URLSearchParams(query).toString();
    const path = `/api/v1/files/${encodeURIComponent(fileName)}?${parameters}`;
    const headers = { "content-type": "application/octet-stream" };
    const response = await this.#send("PUT", path, { body, headers });
    return (await this.#json(response)) as ApiPublished;
  }

  /** Appends to file number `index` of the plan, which holds `offset` bytes. @returns what it holds. */
  async append(
    name: string,
    { index, offset }: { readonly index: number; readonly offset: number },
    body: Blob | Uint8Array<ArrayBuffer>,
  ): Promise<number> {
    const response = await this.#send("PATCH", publicationPath(name, `/files/${index}`), {
      body,
      headers: { "content-type": "application/octet-stream", "upload-offset": String(offset) },
    });
    return Number(response.headers.get("upload-offset"));
  }

  /** The offset from which file number `index` of an upload goes on. */
  async uploadOffset(name: string, index: number): Promise<number> {
    const response = await this.#send("HEAD", publicationPath(name, `/files/${index}`), {});
    return Number(response.headers.get("upload-offset"));
  }

  /** Publishes what was uploaded. */
  publish(name: string, onProgress?: OnPublishProgress): Promise<ApiPublished> {
    return this.#published(publicationPath(name, "/publish"), undefined, onProgress);
  }

  /** Publishes what lies on the server's disk, on its own machine. */
  publishLocal(plan: ApiLocalPlan, onProgress?: OnPublishProgress): Promise<ApiPublished> {
    return this.#published("/api/v1/local-publications", plan, onProgress);
  }

  policy(name: string): Promise<ApiHeldPolicy> {
    return this.call("GET", publicationPath(name, "/policy"));
  }

  /** `version`: refused (CHANGED) if it is another one by now. @returns the policy, complete. */
  setPolicy(name: string, change: ApiPolicyChange, version?: string): Promise<ApiHeldPolicy> {
    const headers = version === undefined ? {} : { "if-match": `"${version}"` };
    return this.call("PATCH", publicationPath(name, "/policy"), change, headers);
  }

  /** Signs it: `publicKey` and `signature`, a .minisig file of its checksum list, as texts. */
  async sign(
    name: string,
    texts: { readonly publicKey: string; readonly signature: string },
  ): Promise<ApiSignature> {
    const answer = await this.call<{ readonly signature: ApiSignature }>(
      "PUT",
      publicationPath(name, "/signature"),
      texts,
    );
    return answer.signature;
  }

  async unpublish(name: string): Promise<void> {
    await this.call("DELETE", publicationPath(name));
  }

  /** A page of the ledger; `query` as docs/live.md says. Go on with `call("GET", page.next)`. */
  ledger(name: string, query: Readonly<Record<string, string>> = {}): Promise<LedgerPage> {
    const parameters = new URLSearchParams({ ...query, format: "page" });
    return this.call("GET", publicationPath(name, `/ledger?${parameters.toString()}`));
  }

  history(name: string, query: Readonly<Record<string, string>> = {}): Promise<LedgerHistory> {
    const parameters = new URLSearchParams(query);
    return this.call("GET", publicationPath(name, `/ledger/history?${parameters.toString()}`));
  }

  /** Everything as it happens: the whole state, each time that something changed. */
  watch(): AsyncIterable<LiveOverview> {
    return this.#states<LiveOverview>("/api/v1/events", (before, delta) =>
      applyOverviewDelta(before, delta as LiveOverviewDelta),
    );
  }

  /** The same of one publication. */
  watchPublication(name: string): AsyncIterable<LiveDetail> {
    return this.#states<LiveDetail>(publicationPath(name, "/events"), (before, delta) =>
      applyDetailDelta(before, delta as LiveDetailDelta),
    );
  }

  async #published(
    path: string,
    plan: object | undefined,
    onProgress: OnPublishProgress = () => undefined,
  ): Promise<ApiPublished> {
    const response = await this.#send("POST", path, jsonBody(plan));
    for await (const text of linesOf(this.#bodyOf(response))) {
      const line = JSON.parse(text) as ApiPublishLine;
      if (line.event === "published") return line;
      if (line.event === "error") throw new ApiError(line);
      onProgress(line.bytes, line.total);
    }
    throw new ApiError(unreachable(CUT_SHORT));
  }

  async *#states<State>(
    path: string,
    apply: (before: State, delta: unknown) => State,
  ): AsyncIterable<State> {
    const response = await this.#send("GET", path, { headers: { accept: "text/event-stream" } });
    let state: State | undefined;
    for await (const { event, data } of eventsOf(this.#bodyOf(response))) {
      if (event === "end") {
        throwIfOver(data);
        return;
      }
      if (event === "snapshot") state = JSON.parse(data) as State;
      else if (state !== undefined) state = apply(state, JSON.parse(data));
      if (state !== undefined) yield state;
    }
  }

  async #send(method: string, path: string, init: RequestInit): Promise<Response> {
    const { url, token, signal } = this.#options;
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    const request = { ...init, method, headers, ...(signal !== undefined && { signal }) };
    const response = await fetch(`${url}${path}`, request).catch((error: unknown) => {
      throw this.#failure(error, "the server cannot be reached: is the network up?");
    });
    if (response.ok) return response;
    const text = await response.text().catch(() => "");
    throw new ApiError(problemOf(response.status, text));
  }

  #json(response: Response): Promise<unknown> {
    return response.json().catch((error: unknown) => {
      throw this.#failure(error, CUT_SHORT);
    });
  }

  async *#bodyOf({ body }: Response): AsyncIterable<Uint8Array> {
    try {
      yield* chunksOf(body as ReadableStream<Uint8Array>);
    } catch (error) {
      throw this.#failure(error, CUT_SHORT);
    }
  }

  /** What to throw when the network failed, or the signal ended the call. */
  #failure(error: unknown, detail: string): unknown {
    return this.#options.signal?.aborted === true ? error : new ApiError(unreachable(detail));
  }
}

const CUT_SHORT = "the answer was cut short: ask again";

/** The problem of an answer with that status and body; for those who do not ask by `Client`. */
export function problemOf(status: number, text: string): ApiProblem {
  try {
    const problem = JSON.parse(text) as Partial<ApiProblem> | null;
    if (typeof problem?.detail === "string") return { ...(problem as ApiProblem), status };
  } catch {
    // It came from something else on the way.
  }
  const detail = `the server answered ${status}: is that a BTPublisher server?`;
  return { title: "No answer", status, detail, code: "UNAVAILABLE" };
}

function unreachable(detail: string): ApiProblem {
  return { title: "Unreachable", status: 0, detail, code: "UNAVAILABLE", reason: "UNREACHABLE" };
}

function jsonBody(
  body: object | undefined,
  headers: Readonly<Record<string, string>> = {},
): RequestInit {
  if (body === undefined) return { headers };
  return {
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  };
}

/** A stream ended. @throws ApiError as if one asked again, unless the server just stops: it is back soon. */
function throwIfOver(data: string): void {
  const { reason } = JSON.parse(data) as { readonly reason: string };
  if (reason === "session-ended") {
    const detail = "this session or token is not valid here (any more)";
    throw new ApiError({ title: "Token needed", status: 401, detail, code: "DENIED" });
  }
  if (reason === "not-found") {
    const detail = "there is no such publication (any more)";
    throw new ApiError({ title: "Not found", status: 404, detail, code: "NOT_FOUND" });
  }
}
