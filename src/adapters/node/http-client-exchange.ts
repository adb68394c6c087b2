/**
 * One GET, redirects included: from the first request to the last call of the sink. Every way out
 * goes through `#end`, so that the sink hears of exactly one.
 */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import type { Clock } from "../../ports/clock.ts";
import type {
  HttpRequestOptions,
  HttpResponseHead,
  HttpResponseSink,
} from "../../ports/http-client.ts";
import { IdleTimer } from "./clock-idle-timer.ts";
import type { AgentPair } from "./http-client-agents.ts";
import { parseHttpUrl, redirectTarget } from "./http-client-guard.ts";

/** What all exchanges of a client share. */
export interface ExchangeContext {
  readonly clock: Clock;
  readonly isPrivate: (address: string) => boolean;
  /** For what we were asked to get. */
  readonly agents: AgentPair;
  /** For where strangers send us. */
  readonly publicAgents: AgentPair;
}

/** Without any byte for this long, a request fails. */
export const DEFAULT_IDLE_TIMEOUT_MS = 15_000;
/** How we call ourselves. */
export const USER_AGENT = "BTPublisher";
const DEFAULT_MAX_REDIRECTS = 3;
const REDIRECT_STATUSES: ReadonlySet<number | undefined> = new Set([301, 302, 303, 307, 308]);

/** A request under way. */
export class Exchange {
  readonly #context: ExchangeContext;
  readonly #options: HttpRequestOptions;
  readonly #sink: HttpResponseSink;
  readonly #idle: IdleTimer;
  readonly #maxRedirects: number;
  #request: ClientRequest | undefined;
  #body: Readable | undefined;
  #redirectCount = 0;
  /** Whether the first server is on a private network; undefined until it answered. */
  #beganPrivately: boolean | undefined;
  #receivedBytes = 0;
  #hasRetried = false;
  #isOver = false;

  constructor(context: ExchangeContext, options: HttpRequestOptions, sink: HttpResponseSink) {
    this.#context = context;
    this.#options = options;
    this.#sink = sink;
    const timeoutMs = options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
    this.#maxRedirects = options.maxRedirects ?? DEFAULT_MAX_REDIRECTS;
    this.#idle = new IdleTimer(context.clock, timeoutMs, () =>
      this.#fail(`nothing came for ${timeoutMs / 1000} s`),
    );
  }

  /** Sends the request; the sink is called later. */
  start(): void {
    const url = parseHttpUrl(this.#options.url);
    this.#idle.watch();
    if (url !== undefined) this.#send(url);
    else
      process.nextTick(() => this.#fail("only http and https, without credentials, can be asked"));
  }

  /** Ends the exchange without a call to the sink. */
  cancel(): void {
    this.#end();
  }

  #send(url: URL): void {
    const { agents, publicAgents } = this.#context;
    const isTrusted = this.#redirectCount === 0 || this.#beganPrivately === true;
    const pair = isTrusted ? agents : publicAgents;
    const request = pair.request(url, { headers: this.#headersFor(url) });
    this.#request = request;
    request.on("response", (response) => this.#handleResponse(url, response));
    request.on("error", (error: NodeJS.ErrnoException) => {
      // An idle connection that the server closed just then: not the server's word on the request.
      const isStale = request.reusedSocket && isCut(error) && !this.#hasRetried;
      if (this.#isOver || !isStale) return this.#fail(explain(error));
      this.#hasRetried = true;
      this.#send(url);
    });
    request.end();
  }

  #headersFor(url: URL): Record<string, string> {
    const headers: Record<string, string> = {
      "user-agent": USER_AGENT,
      // Content is what it is: ranges and hashes are over the plain bytes.
      "accept-encoding": "identity",
      ...this.#options.headers,
    };
    // What the first server was trusted with is not for the one that it names.
    if (url.origin !== URL.parse(this.#options.url)?.origin) delete headers["authorization"];
    return headers;
  }

  #handleResponse(url: URL, response: IncomingMessage): void {
    this.#idle.watch();
    this.#beganPrivately ??= this.#context.isPrivate(response.socket.remoteAddress ?? "");
    const { location } = response.headers;
    if (REDIRECT_STATUSES.has(response.statusCode) && location !== undefined) {
      response.destroy();
      this.#redirect(url, location);
      return;
    }
    const wantsBody = this.#sink.onHead(headOf(response));
    if (this.#isOver) return;
    if (!wantsBody) return this.#end();
    this.#readBody(response);
  }

  #redirect(from: URL, location: string): void {
    if (++this.#redirectCount > this.#maxRedirects) return this.#fail("it redirects too often");
    const { isPrivate } = this.#context;
    const beganPrivately = this.#beganPrivately === true;
    const target = redirectTarget({ url: from, beganPrivately, isPrivate }, location);
    if (typeof target === "string") return this.#fail(target);
    this.#hasRetried = false;
    this.#send(target);
  }

  #readBody(response: IncomingMessage): void {
    const body = decodedBody(response);
    if (body === undefined) return this.#fail("the answer is encoded in a way that we do not read");
    const fail = (error: Error): void => this.#fail(explain(error));
    this.#body = body;
    response.on("error", fail);
    response.on("data", () => this.#idle.watch());
    body.on("error", fail);
    body.on("data", (chunk: Buffer) => this.#handleData(chunk));
    body.on("end", () => {
      if (this.#isOver) return;
      this.#end();
      this.#sink.onEnd();
    });
  }

  #handleData({ buffer, byteOffset, length }: Buffer): void {
    if (this.#isOver) return;
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    this.#receivedBytes += length;
    if (this.#receivedBytes > maxBytes)
      return this.#fail(`the answer has more than ${maxBytes} bytes`);
    // A plain array: the core may use `slice`, which copies, except on a Buffer.
    this.#sink.onData(new Uint8Array(buffer, byteOffset, length));
  }

  #fail(why: string): void {
    if (this.#isOver) return;
    this.#end();
    // Without the path and query, where announces have their keys.
    const where = parseHttpUrl(this.#options.url)?.origin ?? "the address";
    this.#sink.onError(`${where}: ${why}`);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#idle.end();
    // Does nothing to an answer that is complete: its connection is kept.
    this.#request?.destroy();
    this.#body?.destroy();
  }
}

function isCut(error: NodeJS.ErrnoException): boolean {
  return error.code === "ECONNRESET" || error.code === "EPIPE";
}

/** What `error` of a connection means, for people. */
export function explain(error: Error): string {
  return isCut(error) ? "the connection was cut" : error.message;
}

function headOf(response: IncomingMessage): HttpResponseHead {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return { status: response.statusCode ?? 0, headers };
}

/** The body without its encoding; undefined when we do not know that. */
function decodedBody(response: IncomingMessage): Readable | undefined {
  const encoding = response.headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (encoding === "identity") return response;
  if (encoding !== "gzip" && encoding !== "x-gzip") return undefined;
  return response.pipe(process.getBuiltinModule("node:zlib").createGunzip());
}
