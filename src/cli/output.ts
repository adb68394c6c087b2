/**
 * What a command says: one JSON object a line with --json, words and a progress line otherwise.
 *
 * Results go to standard output, complaints to standard error. Everything is escaped here, so that
 * no command can forget it; secrets are left out, but for those that were asked for. A reader that goes away (EPIPE) is told once, and never a crash.
 */
import { BtPublisherError } from "../base/errors.ts";
import { redactSecrets } from "../base/redact.ts";
import { type ProgressFigures, progressLine } from "./progress.ts";
import { escapeForTerminal, jsonLine } from "./text.ts";

/** What a stream must offer; `process.stdout` does. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string, done?: () => void): boolean;
  on(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/** Where and how a command speaks. */
export interface OutputOptions {
  /** JSON lines on `stdout` instead of text. */
  readonly json: boolean;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** The TERM variable: `dumb` has no progress line that is drawn over. */
  readonly term: string | undefined;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: () => number;
  /** Called once when nobody reads `stdout` any more. */
  readonly onBroken: () => void;
}

/** Fields of an event; undefined ones are left out. */
export type EventFields = Readonly<Record<string, unknown>>;

/** What a command speaks through. */
export interface Output {
  readonly isJson: boolean;
  /** Whether progress is a line that is drawn over, on a terminal that somebody looks at. */
  readonly isInteractive: boolean;
  /** Says that something happened: a JSON line, or `text` for people when there is one. */
  event(name: string, fields: EventFields, text?: string): void;
  /** The same for what is a secret, and was asked for: it is said as it is. */
  reveal(name: string, fields: EventFields, text: string): void;
  /** Text for people only: nothing with --json. */
  print(text: string): void;
  /**
   * Says how far the work is; `fields` are added to the event. Call it as often as convenient, once
   * a second at most with --json.
   */
  progress(figures: ProgressFigures, fields?: EventFields): void;
  /** A warning: standard error for people, a `warning` event with --json. */
  warn(message: string): void;
  /** Why the command failed: standard error for people, an `error` event with --json. */
  error(error: unknown): void;
  /** Resolves once everything that was said has left the process. */
  flush(): Promise<void>;
}

/** Without a terminal a progress line scrolls: few of them are enough. */
const PLAIN_PROGRESS_INTERVAL_MS = 10_000;

/** Redrawing more often than this cannot be read. */
const DRAWN_PROGRESS_INTERVAL_MS = 100;

const DEFAULT_COLUMNS = 80;

/** An `Output` over two streams. */
export function createOutput(options: OutputOptions): Output {
  return options.json ? new JsonOutput(options) : new TextOutput(options);
}

/** `stdout` that survives its reader's departure. */
class Sink {
  readonly #stream: OutputStream;
  #isBroken = false;

  constructor(stream: OutputStream, onBroken: () => void) {
    this.#stream = stream;
    stream.on("error", () => {
      if (this.#isBroken) return;
      this.#isBroken = true;
      onBroken();
    });
  }

  get columns(): number {
    return this.#stream.columns ?? DEFAULT_COLUMNS;
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  write(text: string): void {
    if (!this.#isBroken) this.#stream.write(text);
  }

  flush(): Promise<void> {
    if (this.#isBroken) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stream.write("", () => resolve());
    });
  }
}

class JsonOutput implements Output {
  readonly isJson = true;
  readonly isInteractive = false;
  readonly #stdout: Sink;
  readonly #now: () => number;

  constructor(options: OutputOptions) {
    this.#stdout = new Sink(options.stdout, options.onBroken);
    this.#now = options.now;
  }

  event(name: string, fields: EventFields): void {
    this.#stdout.write(redactSecrets(this.#lineOf(name, fields)));
  }

  reveal(name: string, fields: EventFields): void {
    this.#stdout.write(this.#lineOf(name, fields));
  }

  print(): void {}

  progress(figures: ProgressFigures, fields: EventFields = {}): void {
    this.event("progress", { ...figures, ...fields });
  }

  warn(message: string): void {
    this.event("warning", { message });
  }

  error(error: unknown): void {
    const isKnown = error instanceof BtPublisherError;
    this.event("error", {
      code: isKnown ? error.code : "INTERNAL",
      message: messageOf(error),
      detail: isKnown ? error.detail : undefined,
    });
  }

  flush(): Promise<void> {
    return this.#stdout.flush();
  }

  #lineOf(name: string, fields: EventFields): string {
    const at = new Date(this.#now()).toISOString();
    return `${jsonLine({ event: name, at, ...fields })}\n`;
  }
}

class TextOutput implements Output {
  readonly isJson = false;
  readonly isInteractive: boolean;
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #now: () => number;
  #isLineDrawn = false;
  #progressAt = Number.NEGATIVE_INFINITY;

  constructor(options: OutputOptions) {
    this.#stdout = new Sink(options.stdout, options.onBroken);
    this.#stderr = new Sink(options.stderr, () => undefined);
    this.#now = options.now;
    this.isInteractive = this.#stdout.isTerminal && options.term !== "dumb";
  }

  event(_name: string, _fields: EventFields, text?: string): void {
    if (text !== undefined) this.print(text);
  }

  print(text: string): void {
    this.#write(redactSecrets(text));
  }

  reveal(_name: string, _fields: EventFields, text: string): void {
    this.#write(text);
  }

  progress(figures: ProgressFigures): void {
    const interval = this.isInteractive ? DRAWN_PROGRESS_INTERVAL_MS : PLAIN_PROGRESS_INTERVAL_MS;
    const now = this.#now();
    if (now - this.#progressAt < interval) return;
    this.#progressAt = now;
    // The last column stays free: some terminals wrap when it is written.
    const line = progressLine(figures, this.#stdout.columns - 1);
    this.#clearLine();
    this.#stdout.write(this.isInteractive ? line : `${line}\n`);
    this.#isLineDrawn = this.isInteractive;
  }

  warn(message: string): void {
    this.#complain(`warning: ${message}`);
  }

  error(error: unknown): void {
    const code = error instanceof BtPublisherError ? ` (${error.code})` : "";
    this.#complain(`error: ${messageOf(error)}${code}`);
  }

  async flush(): Promise<void> {
    this.#clearLine();
    await this.#stdout.flush();
    await this.#stderr.flush();
  }

  #write(text: string): void {
    this.#clearLine();
    this.#stdout.write(`${escapeForTerminal(text)}\n`);
  }

  #complain(text: string): void {
    this.#clearLine();
    this.#stderr.write(`${escapeForTerminal(redactSecrets(text))}\n`);
  }

  #clearLine(): void {
    if (!this.#isLineDrawn) return;
    this.#isLineDrawn = false;
    this.#stdout.write("\r\u001b[K");
  }
}

/** For a bug of ours the stack is what a report needs; for everything else the message is. */
function messageOf(error: unknown): string {
  if (error instanceof BtPublisherError) return error.message;
  if (error instanceof Error) return error.stack ?? error.message;
  return String(error);
}
