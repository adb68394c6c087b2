/** `ContentService` of a SourceNode on another machine; see content-service-server.ts. */
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BtPublisherError, type Result } from "../../base/errors.ts";
import type { UnixMillis } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  ContentPlan,
  ContentService,
  LedgerEntry,
  LocalContent,
  PublishedContent,
  PublishOptions,
  PublishProgress,
  UploadBody,
  UploadStatus,
  Withdrawal,
} from "../../ports/content-service.ts";
import type { PublicationPolicy } from "../../ports/publication-policy.ts";
import type { PublicationLook, SourceLook } from "../../ports/source-look.ts";
import { bodyDigest, signRequest, STREAMED_BODY } from "./content-service-auth.ts";
import {
  type ErrorMessage,
  errorOf,
  type Parser,
  parseErrorMessage,
  parseLedgerLine,
  parseListLine,
  parsePublishLine,
  parseUploadStatus,
  parseWithdrawals,
  planJson,
} from "./content-service-messages.ts";
import { type LookLine, parsePublicationLook, parseSourceLook } from "./content-service-looks.ts";
import { CONTENT_SERVICE_PREFIX } from "./content-service-server.ts";

/** Without a byte for this long the SourceNode is taken for gone; it tells something every 10 s. */
const IDLE_TIMEOUT_MS = 60_000;

/** Where the service is, and how to be let in. */
export interface ContentServiceClientOptions {
  /** Base URL of the SourceNode's HTTP server, `http://` or `https://`, without a path. */
  readonly baseUrl: string;
  /** The shared service key. */
  readonly key: Uint8Array;
  readonly clock: Clock;
}

/** What to send. */
type Outgoing =
  | { readonly type: "none" }
  | { readonly type: "json"; readonly value: object }
  | { readonly type: "stream"; readonly body: AsyncIterable<Uint8Array> };

interface Exchange {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
}

/**
 * The service behind `options.baseUrl`. Besides the service's own errors, calls reject with
 * UNAVAILABLE when it cannot be reached, and DENIED when the key or the clock is wrong.
 */
export class ContentServiceClient implements ContentService {
  readonly #options: ContentServiceClientOptions;

  constructor(options: ContentServiceClientOptions) {
    this.#options = options;
  }

  async beginUpload(plan: ContentPlan): Promise<UploadStatus> {
    const text = await this.#ask("POST", "uploads", { type: "json", value: planJson(plan) });
    return this.#parsed(parseUploadStatus(text));
  }

  async uploadStatus(name: string): Promise<UploadStatus> {
    const text = await this.#ask("GET", `uploads/${encodeURIComponent(name)}`);
    return this.#parsed(parseUploadStatus(text));
  }

  async appendFile(
    name: string,
    file: { readonly fileIndex: number; readonly offset: number },
    body: UploadBody,
  ): Promise<UploadStatus> {
    const path = `uploads/${encodeURIComponent(name)}/files/${file.fileIndex}?offset=${file.offset}`;
    return this.#parsed(parseUploadStatus(await this.#ask("PUT", path, { type: "stream", body })));
  }

  async cancelUpload(name: string): Promise<void> {
    await this.#ask("DELETE", `uploads/${encodeURIComponent(name)}`);
  }

  publishUpload(
    name: string,
    options: PublishOptions,
    onProgress?: PublishProgress,
  ): Promise<PublishedContent> {
    const path = `uploads/${encodeURIComponent(name)}/publish`;
    return this.#publish(path, options, onProgress);
  }

  publishLocal(
    content: LocalContent,
    options: PublishOptions,
    onProgress?: PublishProgress,
  ): Promise<PublishedContent> {
    const { name, path, keptInfo } = content;
    const value = planJson({ path, keptInfo, options });
    return this.#publish(`publications/${encodeURIComponent(name)}`, value, onProgress);
  }

  async setPolicy(name: string, policy: PublicationPolicy): Promise<void> {
    const path = `publications/${encodeURIComponent(name)}/policy`;
    await this.#ask("PUT", path, { type: "json", value: policy });
  }

  async unpublish(name: string): Promise<void> {
    await this.#ask("DELETE", `publications/${encodeURIComponent(name)}`);
  }

  async list(): Promise<readonly PublishedContent[]> {
    const contents: PublishedContent[] = [];
    for await (const text of this.#lines("GET", "publications")) {
      const line = this.#parsed(parseListLine(text));
      if ("end" in line) return contents;
      if ("error" in line) throw errorOf(line.error);
      contents.push(line.content);
    }
    throw this.#cutShort();
  }

  async withdrawals(): Promise<readonly Withdrawal[]> {
    return this.#parsed(parseWithdrawals(await this.#ask("GET", "withdrawals")));
  }

  async *ledger(
    name: string,
    filter: { readonly since?: UnixMillis } = {},
  ): AsyncIterable<LedgerEntry> {
    const path = `publications/${encodeURIComponent(name)}/ledger?since=${filter.since ?? 0}`;
    for await (const text of this.#lines("GET", path)) {
      const line = this.#parsed(parseLedgerLine(text));
      if ("end" in line) return;
      if ("error" in line) throw errorOf(line.error);
      yield line.entry;
    }
    throw this.#cutShort();
  }

  async *watch(): AsyncIterable<SourceLook> {
    yield* this.#looks("looks", parseSourceLook);
  }

  async *watchPublication(name: string): AsyncIterable<PublicationLook> {
    const path = `publications/${encodeURIComponent(name)}/looks`;
    yield* this.#looks(path, parsePublicationLook);
  }

  async *#looks<Look>(path: string, parse: Parser<LookLine<Look>>): AsyncIterable<Look> {
    for await (const text of this.#lines("GET", path)) {
      const line = this.#parsed(parse(text));
      if ("end" in line) return;
      if ("error" in line) throw errorOf(line.error);
      yield line.look;
    }
    throw this.#cutShort();
  }

  async #publish(
    path: string,
    value: object,
    onProgress: PublishProgress | undefined,
  ): Promise<PublishedContent> {
    for await (const text of this.#lines("POST", path, { type: "json", value })) {
      const line = this.#parsed(parsePublishLine(text));
      if ("published" in line) return line.published;
      if ("error" in line) throw errorOf(line.error);
      onProgress?.(...line.progress);
    }
    throw this.#cutShort();
  }

  /** The whole body of an answer. */
  async #ask(method: string, path: string, outgoing: Outgoing = { type: "none" }): Promise<string> {
    const { response } = await this.#send(method, path, outgoing);
    return this.#readText(response);
  }

  /** The lines of an answer. */
  async *#lines(
    method: string,
    path: string,
    outgoing: Outgoing = { type: "none" },
  ): AsyncIterable<string> {
    const { request, response } = await this.#send(method, path, outgoing);
    response.setEncoding("utf8");
    let rest = "";
    try {
      for await (const text of response as AsyncIterable<string>) {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        yield* lines;
      }
    } catch (cause) {
      throw this.#unreachable(cause);
    } finally {
      request.destroy();
    }
  }

  /** Sends a request, and resolves with the head of its answer. @throws for an error's answer. */
  async #send(method: string, path: string, outgoing: Outgoing): Promise<Exchange> {
    const request = this.#open(method, `${CONTENT_SERVICE_PREFIX}${path}`, outgoing);
    const body = outgoing.type === "stream" ? new ObservedBody(outgoing.body) : undefined;
    try {
      const answered = once(request, "response") as Promise<[IncomingMessage]>;
      // An error's answer may come while the body is still being sent; that one is to be told.
      const sent = body === undefined ? answered : pipeline(Readable.from(body), request);
      const [response] = await Promise.race([answered, sent.then(() => answered)]);
      if (response.statusCode === 200) return { request, response };
      const error = parseErrorMessage(await this.#readText(response));
      request.destroy();
      throw errorOf(this.#parsed<ErrorMessage>(error));
    } catch (error) {
      request.destroy();
      if (body !== undefined && body.error === error) throw error;
      throw error instanceof BtPublisherError ? error : this.#unreachable(error);
    }
  }

  #open(method: string, target: string, outgoing: Outgoing): ClientRequest {
    const { baseUrl, key, clock } = this.#options;
    const json = outgoing.type === "json" ? JSON.stringify(outgoing.value) : "";
    const digest = outgoing.type === "stream" ? STREAMED_BODY : bodyDigest(json);
    const headers = signRequest({ method, target, bodyDigest: digest }, key, clock.unixNow());
    const url = new URL(target, baseUrl);
    const open = url.protocol === "https:" ? httpsRequest : httpRequest;
    const request = open(url, { method, headers });
    // Failures are told by promises; those that come after an answer are nobody's concern.
    request.on("error", () => undefined);
    request.setTimeout(IDLE_TIMEOUT_MS, () => request.destroy(new Error("it does not answer")));
    if (outgoing.type !== "stream") request.end(json);
    return request;
  }

  async #readText(response: IncomingMessage): Promise<string> {
    try {
      return (await response.setEncoding("utf8").toArray()).join("");
    } catch (cause) {
      throw this.#unreachable(cause);
    }
  }

  #parsed<Value>(result: Result<Value>): Value {
    if (result.ok) return result.value;
    const message = `the SourceNode's answer is not to be understood: ${result.message}`;
    throw new BtPublisherError("UNAVAILABLE", message);
  }

  #cutShort(): BtPublisherError {
    return this.#unreachable(new Error("the answer was cut short"));
  }

  #unreachable(cause: unknown): BtPublisherError {
    if (cause instanceof BtPublisherError) return cause;
    const { baseUrl } = this.#options;
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `the SourceNode at ${baseUrl} cannot be reached: ${why}`;
    return new BtPublisherError("UNAVAILABLE", message, { detail: { baseUrl }, cause });
  }
}

/** A body that remembers its own error, to tell it from the network's. */
class ObservedBody implements AsyncIterable<Uint8Array> {
  error: unknown;
  readonly #body: AsyncIterable<Uint8Array>;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#body = body;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    try {
      for await (const chunk of this.#body) yield chunk;
    } catch (error) {
      this.error = error;
      throw error;
    }
  }
}
