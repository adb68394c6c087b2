/**
 * Gets ranges of large files: the data path of web seeds. It reads plain answers only; a server
 * that gives others (redirects, encodings, bodies of unknown length) is left to `node:http`.
 */
import type { HttpRequestOptions, HttpResponseSink } from "../../ports/http-client.ts";
import type { ResponseHead } from "../../protocol/http/response-head.ts";
import { IdleTimer } from "./clock-idle-timer.ts";
import { type AnswerHandler, HttpConnection } from "./http-client-connection.ts";
import {
  DEFAULT_IDLE_TIMEOUT_MS,
  Exchange,
  type ExchangeContext,
  explain,
  USER_AGENT,
} from "./http-client-exchange.ts";
import { parseHttpUrl } from "./http-client-guard.ts";

/** Connections that are kept idle for each server; those in use are the callers' business. */
const MAX_IDLE_CONNECTIONS = 4;
/** Servers that are remembered for their odd answers. */
const MAX_ODD_ORIGINS = 256;

/** The connections and the memory of one client. */
export class RangeClient {
  readonly #context: ExchangeContext;
  /** By origin; the last one was used last. */
  readonly #idle = new Map<string, HttpConnection[]>();
  readonly #oddOrigins = new Set<string>();

  constructor(context: ExchangeContext) {
    this.#context = context;
  }

  /** Begins to get `options`; undefined when that is for `node:http`. */
  get(options: HttpRequestOptions, sink: HttpResponseSink): { cancel(): void } | undefined {
    const url = parseHttpUrl(options.url);
    const names = Object.keys(options.headers ?? {}).join();
    if (names !== "range" || url === undefined || this.#oddOrigins.has(url.origin))
      return undefined;
    const exchange = new RangeExchange({
      options,
      sink,
      url,
      context: this.#context,
      client: this,
    });
    exchange.start();
    return exchange;
  }

  /** A kept connection to the server of `url`. */
  takeIdle(url: URL): HttpConnection | undefined {
    return this.#idle.get(url.origin)?.pop();
  }

  /** A new connection to the server of `url`. */
  connect(url: URL): HttpConnection {
    const connection = new HttpConnection(url, () => this.#forget(url.origin, connection));
    return connection;
  }

  /** Keeps a connection that has answered for the next request. */
  keep(url: URL, connection: HttpConnection): void {
    if (!connection.isOpen) return;
    const idle = this.#idle.get(url.origin) ?? [];
    this.#idle.set(url.origin, idle);
    if (idle.length < MAX_IDLE_CONNECTIONS) idle.push(connection);
    else connection.destroy();
  }

  /** The server of `url` does not give plain answers. */
  handleOdd(url: URL): void {
    if (this.#oddOrigins.size >= MAX_ODD_ORIGINS) this.#oddOrigins.clear();
    this.#oddOrigins.add(url.origin);
  }

  #forget(origin: string, connection: HttpConnection): void {
    const left = this.#idle.get(origin)?.filter((each) => each !== connection) ?? [];
    if (left.length > 0) this.#idle.set(origin, left);
    else this.#idle.delete(origin);
  }
}

/** One range, from the request to the last call of the sink. */
class RangeExchange implements AnswerHandler {
  readonly #options: HttpRequestOptions;
  readonly #sink: HttpResponseSink;
  readonly #url: URL;
  readonly #context: ExchangeContext;
  readonly #client: RangeClient;
  readonly #timer: IdleTimer;
  #connection: HttpConnection | undefined;
  #isKept = false;
  /** `node:http`, once the server turned out to need it. */
  #other: Exchange | undefined;
  #isOver = false;

  constructor(to: {
    readonly options: HttpRequestOptions;
    readonly sink: HttpResponseSink;
    readonly url: URL;
    readonly context: ExchangeContext;
    readonly client: RangeClient;
  }) {
    this.#options = to.options;
    this.#sink = to.sink;
    this.#url = to.url;
    this.#context = to.context;
    this.#client = to.client;
    const timeoutMs = to.options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
    this.#timer = new IdleTimer(to.context.clock, timeoutMs, () =>
      this.#fail(`nothing came for ${timeoutMs / 1000} s`),
    );
  }

  start(): void {
    this.#timer.watch();
    const kept = this.#client.takeIdle(this.#url);
    this.#isKept = kept !== undefined;
    this.#ask(kept ?? this.#client.connect(this.#url));
  }

  /** Ends the exchange without a call to the sink. */
  cancel(): void {
    this.#end();
    this.#connection?.destroy();
    this.#other?.cancel();
  }

  onHead(head: ResponseHead): boolean {
    this.#timer.watch();
    const isWanted = this.#sink.onHead(head);
    if (this.#isOver) return false;
    if (!isWanted) {
      this.#end();
      return false;
    }
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    if (head.bodyLength > maxBytes) this.#fail(`the answer has more than ${maxBytes} bytes`);
    return !this.#isOver;
  }

  onData(bytes: Uint8Array): void {
    this.#timer.watch();
    this.#sink.onData(bytes);
  }

  onEnd(): void {
    this.#end();
    if (this.#connection !== undefined) this.#client.keep(this.#url, this.#connection);
    this.#sink.onEnd();
  }

  onOdd(status = 0): void {
    this.#timer.end();
    // What an error page looks like says nothing of how content comes.
    if (status < 400) this.#client.handleOdd(this.#url);
    this.#other = new Exchange(this.#context, this.#options, this.#sink);
    this.#other.start();
  }

  onFailure(error: Error, wasSilent: boolean): void {
    // The server closed an idle connection just then: that is not its word on the request.
    const isStale = this.#isKept && wasSilent;
    if (!isStale) return this.#fail(explain(error));
    this.#isKept = false;
    this.#ask(this.#client.connect(this.#url));
  }

  #ask(connection: HttpConnection): void {
    this.#connection = connection;
    const { host, pathname, search } = this.#url;
    const range = this.#options.headers?.["range"] ?? "";
    const head = [
      `GET ${pathname}${search} HTTP/1.1`,
      `Host: ${host}`,
      `User-Agent: ${USER_AGENT}`,
      "Accept-Encoding: identity",
      `Range: ${range}`,
    ];
    connection.ask(`${head.join("\r\n")}\r\n\r\n`, this);
  }

  #fail(why: string): void {
    if (this.#isOver) return;
    this.#end();
    this.#connection?.destroy();
    this.#sink.onError(`${this.#url.origin}: ${why}`);
  }

  #end(): void {
    this.#isOver = true;
    this.#timer.end();
  }
}
