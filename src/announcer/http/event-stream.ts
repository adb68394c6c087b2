/**
 * A stream of server-sent events to one reader. It never holds more than the reader's own buffer:
 * who does not read is not sent anything, and is given up after a while.
 */
import { PassThrough, type Readable } from "node:stream";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { LiveEnd, LiveReader } from "../live/live-feed.ts";

/** Media type of server-sent events. */
export const EVENT_STREAM_TYPE = "text/event-stream";

/** Proxies close what is silent for longer; also how soon a right that ended ends the stream. */
const CHECK_MS = 15_000;
/** Checks in a row at which a reader has not read: then it is gone. */
const MAX_STUCK = 4;
/** When `EventSource` comes again after a lost connection. */
const RETRY_MS = 2000;

/** What a stream needs. */
export interface EventStreamOptions {
  readonly clock: Clock;
  /** Whether the reader may still be told; asked every 15 s. */
  readonly isAllowed: () => Promise<boolean>;
}

export class EventStream implements LiveReader {
  readonly #options: EventStreamOptions;
  readonly #out = new PassThrough();
  #stuck = 0;
  #timer: Timer | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    // A reader that left is nobody's error.
    this.#out.on("error", () => undefined);
    this.#out.once("close", () => this.#timer?.cancel());
    this.#out.write(`retry: ${RETRY_MS}\n\n`);
    this.#arm();
  }

  /** The bytes, for the answer. */
  get readable(): Readable {
    return this.#out;
  }

  /** `action` is called once, when it is over in whatever way. */
  onClose(action: () => void): void {
    this.#out.once("close", action);
  }

  get isReady(): boolean {
    return this.#out.writable && !this.#out.writableNeedDrain;
  }

  /** `text`: JSON, which has no line ends. */
  send(event: "snapshot" | "delta", text: string): void {
    this.#out.write(`event: ${event}\ndata: ${text}\n\n`);
  }

  end(reason: LiveEnd): void {
    if (this.#out.writable) this.#out.end(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
  }

  #arm(): void {
    this.#timer = this.#options.clock.setTimer(CHECK_MS, () => void this.#check());
  }

  async #check(): Promise<void> {
    // It ended, and nobody read that.
    const isOver = !this.#out.writable;
    this.#stuck = this.isReady ? 0 : this.#stuck + 1;
    if (isOver || this.#stuck >= MAX_STUCK) {
      this.#out.destroy();
      return;
    }
    const isAllowed = await this.#options.isAllowed().catch(() => false);
    if (this.#out.destroyed) return;
    if (!isAllowed) this.end("session-ended");
    else if (this.isReady) this.#out.write(": still here\n\n");
    this.#arm();
  }
}
