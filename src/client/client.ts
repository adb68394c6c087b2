/**
 * The server's API for programs, in Node and in browsers: `fetch` and nothing else. docs/api.md and
 * docs/live.md say what each call does.
 */
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
  ApiAccount,
  ApiHeldPolicy,
  ApiPlan,
  ApiPolicyChange,
  ApiProblem,
  ApiPublications,
  ApiPublicationView,
  ApiPublished,
  ApiPublishLine,
  ApiServer,
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

/** The server refused: `problem` says why. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Names of publications, as they stand in paths. */
const pathOf = (name: string) => `/api/v1/publications/${encodeURIComponent(name)}`;

/** All calls reject with `ApiError` when the server refuses, else as `fetch` does. */
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
    const response = await this.#send(method, path, {
      headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return (response.status === 204 ? undefined : await response.json()) as Answer;
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

  /** In browsers: ends the session. */
  logOut(): Promise<void> {
    return this.call("DELETE", "/api/v1/sessions/current");
  }

  /** Every publication that one may get, newest first, page by page. */
  async *publications(): AsyncIterable<ApiPublications["publications"][number]> {
    let next: string | undefined = "/api/v1/publications?limit=100";
    while (next !== undefined) {
      const page: ApiPublications = await this.call("GET", next);
      yield* page.publications;
      next = page.next;
    }
  }

  publication(name: string): Promise<ApiPublicationView> {
    return this.call("GET", pathOf(name));
  }

  /** Begins an upload, or finds the open one of the same plan. */
  planUpload(plan: ApiPlan): Promise<ApiUpload> {
    return this.call("POST", "/api/v1/publications", plan);
  }

  upload(name: string): Promise<ApiUpload> {
    return this.call("GET", `${pathOf(name)}/upload`);
  }

  /** Appends to file number `index` of the plan, which holds `offset` bytes. @returns what it holds. */
  async append(
    name: string,
    { index, offset }: { readonly index: number; readonly offset: number },
    body: Blob | Uint8Array<ArrayBuffer>,
  ): Promise<number> {
    const response = await this.#send("PATCH", `${pathOf(name)}/files/${index}`, {
      body,
      headers: { "content-type": "application/octet-stream", "upload-offset": String(offset) },
    });
    return Number(response.headers.get("upload-offset"));
  }

  /** Publishes what was uploaded. `onProgress` hears hashed bytes of all bytes. */
  async publish(
    name: string,
    onProgress: (bytes: number, total: number) => void = () => undefined,
  ): Promise<ApiPublished> {
    const response = await this.#send("POST", `${pathOf(name)}/publish`, {});
    for await (const text of linesOf(bodyOf(response))) {
      const line = JSON.parse(text) as ApiPublishLine;
      if (line.event === "published") return line;
      if (line.event === "error") throw new ApiError(line);
      onProgress(line.bytes, line.total);
    }
    throw new TypeError("the answer was cut short: ask again");
  }

  policy(name: string): Promise<ApiHeldPolicy> {
    return this.call("GET", `${pathOf(name)}/policy`);
  }

  /** `version`: refused (CHANGED) if it is another one by now. @returns the policy, complete. */
  setPolicy(name: string, change: ApiPolicyChange, version?: string): Promise<ApiHeldPolicy> {
    const headers = version === undefined ? {} : { "if-match": `"${version}"` };
    return this.call("PATCH", `${pathOf(name)}/policy`, change, headers);
  }

  async unpublish(name: string): Promise<void> {
    await this.call("DELETE", pathOf(name));
  }

  /** A page of the ledger; `query` as docs/live.md says. Go on with `call("GET", page.next)`. */
  ledger(name: string, query: Readonly<Record<string, string>> = {}): Promise<LedgerPage> {
    const parameters = new URLSearchParams({ ...query, format: "page" });
    return this.call("GET", `${pathOf(name)}/ledger?${parameters.toString()}`);
  }

  history(name: string, query: Readonly<Record<string, string>> = {}): Promise<LedgerHistory> {
    const parameters = new URLSearchParams(query);
    return this.call("GET", `${pathOf(name)}/ledger/history?${parameters.toString()}`);
  }

  /** Everything as it happens: the whole state, each time that something changed. */
  watch(): AsyncIterable<LiveOverview> {
    return this.#states<LiveOverview>("/api/v1/events", (before, delta) =>
      applyOverviewDelta(before, delta as LiveOverviewDelta),
    );
  }

  /** The same of one publication. */
  watchPublication(name: string): AsyncIterable<LiveDetail> {
    return this.#states<LiveDetail>(`${pathOf(name)}/events`, (before, delta) =>
      applyDetailDelta(before, delta as LiveDetailDelta),
    );
  }

  async *#states<State>(
    path: string,
    apply: (before: State, delta: unknown) => State,
  ): AsyncIterable<State> {
    const response = await this.#send("GET", path, { headers: { accept: "text/event-stream" } });
    let state: State | undefined;
    for await (const { event, data } of eventsOf(bodyOf(response))) {
      if (event === "end") return;
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
    const response = await fetch(`${url}${path}`, request);
    if (response.ok) return response;
    throw new ApiError(await problemIn(response));
  }
}

async function problemIn(response: Response): Promise<ApiProblem> {
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("application/problem+json")) return (await response.json()) as ApiProblem;
  await response.body?.cancel();
  const detail = `the server answered ${response.status}: is that a BTPublisher server?`;
  return { title: response.statusText, status: response.status, detail, code: "UNAVAILABLE" };
}

function bodyOf(response: Response): AsyncIterable<Uint8Array> {
  return chunksOf(response.body as ReadableStream<Uint8Array>);
}
