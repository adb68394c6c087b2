/** HTTP in the simulated world: servers are functions, answers arrive after a delay. */
import type { Clock } from "../../ports/clock.ts";
import type {
  HttpClient,
  HttpRequestOptions,
  HttpResponseHead,
  HttpResponseSink,
} from "../../ports/http-client.ts";

/** What a server answers; `undefined` means that nobody listens. */
export type MemoryHttpServer = (
  url: string,
  headers: Readonly<Record<string, string>>,
) => { readonly head: HttpResponseHead; readonly body: Uint8Array } | undefined;

const DEFAULT_DELAY_MS = 20;
/** Bodies arrive in parts, as they would from a socket. */
const CHUNK_BYTES = 64 * 1024;

export class MemoryHttp implements HttpClient {
  readonly #clock: Clock;
  readonly #server: MemoryHttpServer;
  readonly #bytesPerSecond: number;

  /** `bytesPerSecond`: of each request by itself. */
  constructor(clock: Clock, server: MemoryHttpServer, bytesPerSecond = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#server = server;
    this.#bytesPerSecond = bytesPerSecond;
  }

  get(options: HttpRequestOptions, sink: HttpResponseSink): { cancel(): void } {
    let isOver = false;
    const sendFrom = (body: Uint8Array, offset: number) => {
      const chunk = body.subarray(offset, offset + CHUNK_BYTES);
      this.#clock.setTimer((chunk.length * 1000) / this.#bytesPerSecond, () => {
        if (isOver) return;
        if (chunk.length === 0) sink.onEnd();
        else {
          sink.onData(chunk);
          sendFrom(body, offset + chunk.length);
        }
      });
    };
    this.#clock.setTimer(DEFAULT_DELAY_MS, () => {
      if (isOver) return;
      const answer = this.#server(options.url, options.headers ?? {});
      if (answer === undefined) sink.onError("nobody listens");
      else if (answer.body.length > (options.maxBytes ?? Number.POSITIVE_INFINITY)) {
        sink.onError("the answer is too long");
      } else if (sink.onHead(answer.head)) sendFrom(answer.body, 0);
    });
    return {
      cancel: () => {
        isOver = true;
      },
    };
  }
}
