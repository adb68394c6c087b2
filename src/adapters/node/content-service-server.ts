/**
 * `ContentService` over HTTP, version 1, for an Announcer on another machine. Mounted on the
 * SourceNode's HTTP server below /source/v1; every request is signed with the service key.
 *
 *     POST   uploads                          beginUpload
 *     GET    uploads/NAME                     uploadStatus
 *     PUT    uploads/NAME/files/N?offset=B    appendFile; the body is streamed
 *     DELETE uploads/NAME                     cancelUpload
 *     POST   uploads/NAME/publish             publishUpload; answered with lines of progress
 *     POST   publications/NAME                publishLocal; the same
 *     PUT    publications/NAME/policy         setPolicy
 *     DELETE publications/NAME                unpublish
 *     GET    publications                     list, in lines
 *     GET    withdrawals                      withdrawals
 *     GET    publications/NAME/ledger?since=T ledger, in lines
 *     GET    looks                            watch, in lines until the client leaves
 *     GET    publications/NAME/looks          watchPublication, the same
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BtPublisherError, type ErrorCode, unwrap } from "../../base/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  ContentService,
  PublishedContent,
  PublishProgress,
} from "../../ports/content-service.ts";
import { bodyDigest, RequestVerifier } from "./content-service-auth.ts";
import {
  errorMessage,
  parsePlan,
  parsePublishLocal,
  parsePolicy,
  parsePublishOptions,
  publishedContentJson,
} from "./content-service-messages.ts";
import { requestBody } from "./request-body.ts";

/** Where the service is mounted. */
export const CONTENT_SERVICE_PREFIX = "/source/v1/";

/** Bytes of a JSON body: a plan of 100,000 files with long paths fits. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
/** A line of progress at least this often: the other side takes silence for death. */
const HEARTBEAT_MS = 10_000;
/** Characters gathered for one write of lines. */
const LINES_LENGTH = 64 * 1024;

/** What the server works with. */
export interface ContentServiceServerDependencies {
  readonly service: ContentService;
  /** The shared service key, at least 32 bytes. */
  readonly key: Uint8Array;
  readonly clock: Clock;
}

/** What a route gets. */
interface Call {
  readonly service: ContentService;
  readonly clock: Clock;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** The variable elements of the path, decoded. */
  readonly parameters: readonly string[];
}

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly run: (call: Call) => Promise<void>;
}

const routes: readonly Route[] = [
  { method: "POST", pattern: /^uploads$/, run: beginUpload },
  { method: "GET", pattern: /^uploads\/([^/]+)$/, run: uploadStatus },
  { method: "PUT", pattern: /^uploads\/([^/]+)\/files\/(\d{1,9})$/, run: appendFile },
  { method: "DELETE", pattern: /^uploads\/([^/]+)$/, run: cancelUpload },
  { method: "POST", pattern: /^uploads\/([^/]+)\/publish$/, run: publishUpload },
  { method: "POST", pattern: /^publications\/([^/]+)$/, run: publishLocal },
  { method: "PUT", pattern: /^publications\/([^/]+)\/policy$/, run: setPolicy },
  { method: "DELETE", pattern: /^publications\/([^/]+)$/, run: unpublish },
  { method: "GET", pattern: /^publications$/, run: list },
  { method: "GET", pattern: /^withdrawals$/, run: withdrawals },
  { method: "GET", pattern: /^publications\/([^/]+)\/ledger$/, run: ledger },
  { method: "GET", pattern: /^looks$/, run: watch },
  { method: "GET", pattern: /^publications\/([^/]+)\/looks$/, run: watchPublication },
];

/** Answers requests; resolves when an answer is on its way. */
export class ContentServiceServer {
  readonly #dependencies: ContentServiceServerDependencies;
  readonly #verifier: RequestVerifier;

  constructor(dependencies: ContentServiceServerDependencies) {
    this.#dependencies = dependencies;
    this.#verifier = new RequestVerifier(dependencies.key, dependencies.clock);
  }

  /**
   * Takes a request whose path begins with CONTENT_SERVICE_PREFIX. Never rejects; resolves when
   * the answer has been written, or the connection is gone.
   */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#run(request, response);
    } catch (error) {
      answerError(response, error);
      // What is still coming of a refused body is read and dropped until the client stops.
      request.resume();
    }
  }

  async #run(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: target = "", headers } = request;
    const digest = String(headers["x-body-sha256"] ?? "");
    const signed = { method, target, bodyDigest: digest };
    const denial = this.#verifier.denialOf(signed, headers.authorization);
    if (denial !== undefined) throw denied(denial);
    const [path = "", query = ""] = target.slice(CONTENT_SERVICE_PREFIX.length).split("?", 2);
    const matching = routes.filter((route) => route.pattern.test(path));
    const route = matching.find((each) => each.method === method);
    if (route === undefined) throw notFound(method, target);
    const [, ...raw] = route.pattern.exec(path) ?? [];
    const parameters = raw.map(decodeElement);
    const { service, clock } = this.#dependencies;
    const parsedQuery = new URLSearchParams(query);
    await route.run({ service, clock, request, response, query: parsedQuery, parameters });
  }
}

async function beginUpload(call: Call): Promise<void> {
  const plan = unwrap(parsePlan(await readText(call.request)));
  answerJson(call.response, await call.service.beginUpload(plan));
}

async function uploadStatus(call: Call): Promise<void> {
  answerJson(call.response, await call.service.uploadStatus(nameOf(call)));
}

async function appendFile(call: Call): Promise<void> {
  const fileIndex = Number(call.parameters[1]);
  const offset = Number(call.query.get("offset") ?? Number.NaN);
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new BtPublisherError("USAGE", "offset is the number of bytes that the file has");
  }
  const body = requestBody(call.request, call.response);
  const place = { fileIndex, offset };
  answerJson(call.response, await call.service.appendFile(nameOf(call), place, body));
}

async function cancelUpload(call: Call): Promise<void> {
  await call.service.cancelUpload(nameOf(call));
  answerJson(call.response, {});
}

async function setPolicy(call: Call): Promise<void> {
  await call.service.setPolicy(nameOf(call), unwrap(parsePolicy(await readText(call.request))));
  answerJson(call.response, {});
}

async function withdrawals(call: Call): Promise<void> {
  answerJson(call.response, await call.service.withdrawals());
}

async function unpublish(call: Call): Promise<void> {
  await call.service.unpublish(nameOf(call));
  answerJson(call.response, {});
}

async function publishUpload(call: Call): Promise<void> {
  const options = unwrap(parsePublishOptions(await readText(call.request)));
  await answerProgress(call, (onProgress) =>
    call.service.publishUpload(nameOf(call), options, onProgress),
  );
}

async function publishLocal(call: Call): Promise<void> {
  const { options, ...content } = unwrap(parsePublishLocal(await readText(call.request)));
  await answerProgress(call, (onProgress) =>
    call.service.publishLocal({ name: nameOf(call), ...content }, options, onProgress),
  );
}

async function list(call: Call): Promise<void> {
  const contents = await call.service.list();
  await answerLines(call.response, function* () {
    for (const content of contents) yield { content: publishedContentJson(content) };
  });
}

async function ledger(call: Call): Promise<void> {
  const since = Number(call.query.get("since") ?? 0);
  const entries = call.service.ledger(nameOf(call), { since });
  await answerLines(call.response, async function* () {
    for await (const entry of entries) yield { entry };
  });
}

async function watch(call: Call): Promise<void> {
  await answerLooks(call.response, call.service.watch());
}

async function watchPublication(call: Call): Promise<void> {
  await answerLooks(call.response, call.service.watchPublication(nameOf(call)));
}

/** Each look as soon as it is there; none is made for a client that has not read the one before. */
async function answerLooks(response: ServerResponse, looks: AsyncIterable<object>): Promise<void> {
  await answerLines(
    response,
    async function* () {
      for await (const look of looks) yield { look };
    },
    0,
  );
}

/** Lines of progress, and at last the outcome: the answer has begun long before it is known. */
async function answerProgress(
  call: Call,
  work: (onProgress: PublishProgress) => Promise<PublishedContent>,
): Promise<void> {
  const { clock, response } = call;
  let progress: readonly [number, number] = [0, 0];
  let heartbeat = clock.setTimer(HEARTBEAT_MS, beat);
  function tell(): void {
    response.write(`${JSON.stringify({ progress })}\n`);
  }
  function beat(): void {
    tell();
    heartbeat = clock.setTimer(HEARTBEAT_MS, beat);
  }
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  try {
    const content = await work((doneBytes, totalBytes) => {
      progress = [doneBytes, totalBytes];
      tell();
    });
    response.end(`${JSON.stringify({ published: publishedContentJson(content) })}\n`);
  } catch (error) {
    response.end(`${JSON.stringify({ error: errorMessage(error) })}\n`);
  } finally {
    heartbeat.cancel();
  }
}

/**
 * One line for each item, and a last one that says that nothing is missing, or why. `gathered`
 * characters are written at once.
 */
async function answerLines(
  response: ServerResponse,
  items: () => Iterable<object> | AsyncIterable<object>,
  gathered = LINES_LENGTH,
): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  const lines = async function* (): AsyncIterable<string> {
    let text = "";
    try {
      for await (const item of items()) {
        text += `${JSON.stringify(item)}\n`;
        if (text.length < gathered) continue;
        yield text;
        text = "";
      }
      yield `${text}{"end":true}\n`;
    } catch (error) {
      yield `${text}${JSON.stringify({ error: errorMessage(error) })}\n`;
    }
  };
  // The client went away: there is nobody to tell.
  await pipeline(Readable.from(lines()), response).catch(() => undefined);
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_JSON_BYTES) throw new BtPublisherError("USAGE", "the body is too large");
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (bodyDigest(body) !== request.headers["x-body-sha256"]) throw denied("wrong-key");
  return body.toString("utf8");
}

function decodeElement(element: string): string {
  try {
    return decodeURIComponent(element);
  } catch (cause) {
    throw new BtPublisherError("USAGE", `${element} is no percent-encoding`, { cause });
  }
}

function nameOf(call: Call): string {
  return call.parameters[0] ?? "";
}

function answerJson(response: ServerResponse, value: object): void {
  const body = JSON.stringify(value);
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

function answerError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const message = errorMessage(error);
  const body = JSON.stringify(message);
  response.writeHead(statusOf(message.code as ErrorCode), {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

function statusOf(code: ErrorCode): number {
  switch (code) {
    case "DENIED":
      return 403;
    case "NOT_FOUND":
    case "NO_INPUT":
      return 404;
    case "CONFLICT":
    case "CANCELLED":
    case "STORAGE_CHANGED":
      return 409;
    case "STORAGE_FULL":
      return 507;
    case "UNAVAILABLE":
      return 503;
    case "INTERNAL":
    case "STORAGE_IO":
      return 500;
    default:
      return 400;
  }
}

function denied(reason: string): BtPublisherError {
  const message =
    "the SourceNode does not accept this request: check the service key and the clocks";
  return new BtPublisherError("DENIED", message, { detail: { reason } });
}

function notFound(method: string, target: string): BtPublisherError {
  return new BtPublisherError("USAGE", `there is nothing to ${method} at ${target}`);
}
