/** The Announcer's API as the commands use it: JSON, JSON lines, and bodies of any length. */
import { once } from "node:events";
import { Agent, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { BtPublisherError, type ErrorCode, type ErrorDetail } from "../base/errors.ts";

/** A server and how we identify ourselves there. */
export interface ApiOptions {
  /** Base URL without a slash at its end. */
  readonly url: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/** JSON objects as they come: fields are checked where they are used. */
export type Json = Readonly<Record<string, unknown>>;

/** Without a byte for this long the server is taken for gone. */
const IDLE_MS = 60_000;
/** For the word to send a body; a proxy that does not know it never says it. */
const CONTINUE_MS = 1_000;
/** A problem is short; a proxy's error page may not be. */
const MAX_ERROR_BYTES = 64 * 1024;

/** What to send. */
interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly json?: object | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly stream?: {
    readonly body: AsyncIterable<Uint8Array>;
    readonly length: number;
    readonly headers: Readonly<Record<string, string>>;
  };
}

/**
 * Calls reject with the server's own code; with UNAVAILABLE when it cannot be reached, and with
 * CANCELLED when the signal said so.
 */
export class ApiClient {
  readonly url: string;
  /** Aborted when nobody waits for answers any more. */
  readonly signal: AbortSignal;
  readonly #options: ApiOptions;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(options: ApiOptions) {
    this.url = options.url;
    this.signal = options.signal;
    this.#options = options;
  }

  /** An answer that is one JSON object. */
  async json(
    method: string,
    path: string,
    body?: object,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Json> {
    const response = await this.#send({ method, path, json: body, headers });
    return parseJson(await this.#reached(readText(response, Number.POSITIVE_INFINITY)));
  }

  /** All of the list at `path`, page by page: the objects in the field `name` of each page. */
  async *list(path: string, name: string): AsyncIterable<Json> {
    let next: string | undefined = path;
    while (next !== undefined) {
      const page: Json = await this.json("GET", next);
      yield* page[name] as readonly Json[];
      next = page["next"] as string | undefined;
    }
  }

  /** An answer without a body. */
  async empty(method: string, path: string): Promise<void> {
    (await this.#send({ method, path })).resume();
  }

  /** An answer of bytes. @throws UNAVAILABLE when there are more than `maxBytes`. */
  async bytes(path: string, maxBytes: number): Promise<Uint8Array> {
    const response = await this.#send({ method: "GET", path });
    const parts: Buffer[] = [];
    let length = 0;
    try {
      for await (const part of response as AsyncIterable<Buffer>) {
        parts.push(part);
        length += part.length;
        if (length > maxBytes) throw new Error(`its answer is longer than ${maxBytes} bytes`);
      }
    } catch (cause) {
      throw this.#unreachable(cause);
    } finally {
      response.destroy();
    }
    return Buffer.concat(parts);
  }

  /** An answer of JSON lines. */
  async *lines(method: string, path: string, body?: object): AsyncIterable<Json> {
    const response = await this.#send({ method, path, json: body });
    let rest = "";
    try {
      for await (const text of response.setEncoding("utf8") as AsyncIterable<string>) {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) yield parseJson(line);
      }
    } catch (cause) {
      throw this.#unreachable(cause);
    } finally {
      response.destroy();
    }
  }

  /** The header `name` of the answer to HEAD. */
  async head(path: string, name: string): Promise<string> {
    const response = await this.#send({ method: "HEAD", path });
    response.resume();
    return String(response.headers[name] ?? "");
  }

  /** Appends `length` bytes, all of `body`, to a file of an upload, which holds `offset` bytes. */
  async append(
    path: string,
    offset: number,
    { body, length }: { readonly body: AsyncIterable<Uint8Array>; readonly length: number },
  ): Promise<void> {
    const headers = {
      "content-type": "application/octet-stream",
      "upload-offset": String(offset),
      // A refusal then comes before the bytes are on their way.
      expect: "100-continue",
    };
    const response = await this.#send({ method: "PATCH", path, stream: { body, length, headers } });
    response.resume();
    await this.#reached(once(response, "end"));
  }

  async #send(outgoing: Outgoing): Promise<IncomingMessage> {
    const { stream } = outgoing;
    const request = this.#open(outgoing);
    // Whoever awaits the answer hears of a failure; the request itself must not end the process.
    request.on("error", () => undefined);
    try {
      const answered = once(request, "response") as Promise<[IncomingMessage]>;
      if (stream !== undefined) {
        request.flushHeaders();
        const isWanted = await Promise.race([
          once(request, "continue").then(() => true),
          sleep(CONTINUE_MS, true, { ref: false }),
          answered.then(() => false),
        ]);
        // An answer may come while the body is still being sent: then it says why it is unwanted.
        if (isWanted) await Promise.race([pipeline(stream.body, request), answered]);
      }
      const [response] = await answered;
      if ((response.statusCode ?? 0) < 300) return response;
      const error = errorOf(response, await readText(response, MAX_ERROR_BYTES));
      request.destroy();
      throw error;
    } catch (error) {
      request.destroy();
      throw this.#unreachable(error);
    }
  }

  #open({ method, path, json, headers: more, stream }: Outgoing) {
    const { token, signal } = this.#options;
    const text = json === undefined ? undefined : JSON.stringify(json);
    const url = new URL(path, this.url);
    const isSecure = url.protocol === "https:";
    const headers = {
      accept: "application/json",
      ...more,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(text !== undefined && {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(text),
      }),
      ...(stream !== undefined && { ...stream.headers, "content-length": stream.length }),
    };
    const request = isSecure
      ? httpsRequest(url, { method, headers, signal })
      : httpRequest(url, { method, headers, signal, agent: this.#agent });
    request.setTimeout(IDLE_MS, () => request.destroy(new Error("it does not answer")));
    if (stream === undefined) request.end(text);
    return request;
  }

  /** The rest of an answer, which may be cut short. */
  #reached<Value>(rest: Promise<Value>): Promise<Value> {
    return rest.catch((cause: unknown) => {
      throw this.#unreachable(cause);
    });
  }

  #unreachable(cause: unknown): BtPublisherError {
    if (cause instanceof BtPublisherError) return cause;
    if (this.#options.signal.aborted) {
      return new BtPublisherError("CANCELLED", "stopped before the work was done");
    }
    const why = cause instanceof Error ? cause.message || String(cause) : String(cause);
    const message = `the server at ${this.url} cannot be reached: ${why}`;
    return new BtPublisherError("UNAVAILABLE", message, { detail: { url: this.url }, cause });
  }
}

/** What to do about it here, where the server cannot know what here is. */
const HINTS: Readonly<Record<string, string>> = {
  NO_TOKEN: "give it with --token or BTPUBLISHER_TOKEN: the server keeps it in publish.token",
  BAD_TOKEN: "on the server one is in publish.token of its data folder",
};

/** The error that a line or a problem tells of. */
export function errorFrom(problem: Json): BtPublisherError {
  const { code, detail, title: _title, status: _status, event: _event, ...more } = problem;
  const hint = HINTS[String(more["reason"])];
  const message = hint === undefined ? String(detail) : `${String(detail)}; ${hint}`;
  return new BtPublisherError(code as ErrorCode, message, { detail: more as ErrorDetail });
}

function errorOf(response: IncomingMessage, text: string): BtPublisherError {
  const type = String(response.headers["content-type"]);
  if (type.startsWith("application/problem+json")) return errorFrom(parseJson(text));
  const message = `the server answered ${response.statusCode}: is that a BTPublisher server?`;
  return new BtPublisherError("UNAVAILABLE", message);
}

async function readText(response: IncomingMessage, maxLength: number): Promise<string> {
  let text = "";
  for await (const part of response.setEncoding("utf8") as AsyncIterable<string>) {
    text += part;
    if (text.length > maxLength) break;
  }
  return text;
}

function parseJson(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Json;
  } catch {
    // Told below.
  }
  const message = "the server's answer is no JSON: is that a BTPublisher server?";
  throw new BtPublisherError("UNAVAILABLE", message);
}
