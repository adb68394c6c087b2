/** Programs that a test starts: what they say, and their certain end. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";

/** One line of a program that speaks JSON lines. */
export type Line = Readonly<Record<string, unknown>>;

/** How long a program may take to end after SIGTERM before it is killed. */
const END_LIMIT_MS = 10_000;

/** Text that is kept of each stream: the last of it tells why a program failed. */
const MAX_KEPT_TEXT = 100_000;

/** A started program. Its JSON lines are kept, so that waiting for one never comes too late. */
export class Program {
  readonly child: ChildProcess;
  readonly #name: string;
  readonly #lines: Line[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #closed: Promise<void>;
  #stdout = "";
  #stderr = "";
  #hasClosed = false;

  /** Takes over `child`, which has pipes for its output. */
  constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.child = child;
    createInterface({ input: child.stdout! }).on("line", (line) => this.#hear(line));
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_KEPT_TEXT);
    });
    const killAtExit = () => child.kill("SIGKILL");
    process.once("exit", killAtExit);
    this.#closed = once(child, "close").then(() => {
      process.off("exit", killAtExit);
      this.#hasClosed = true;
      this.#wake();
    });
  }

  /** JSON lines of the standard output so far. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** All lines of the standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The first line, said or still to come, that has `value` in `field`. */
  async waitFor(field: string, value: string, limitMs = 30_000): Promise<Line> {
    const limit = AbortSignal.timeout(limitMs);
    for (;;) {
      const line = this.#lines.find((said) => said[field] === value);
      if (line !== undefined) return line;
      if (this.#hasClosed) throw this.#failure(`ended before it said ${value}`);
      if (limit.aborted) throw this.#failure(`did not say ${value} within ${limitMs} ms`);
      await this.#next(limit);
    }
  }

  /** Resolves when the program has said another line, has ended, or `limit` has passed. */
  heard(limit: AbortSignal): Promise<void> {
    return this.#next(limit);
  }

  /** Waits for the program's end. @returns its exit code, or 128 + 9 and the like for a signal. */
  async end(limitMs = 90_000): Promise<number> {
    const limit = AbortSignal.timeout(limitMs);
    while (!this.#hasClosed) {
      if (limit.aborted) throw this.#failure(`did not end within ${limitMs} ms`);
      await this.#next(limit);
    }
    return this.child.exitCode ?? 128;
  }

  /** Waits for a good end. @throws when the exit code is not 0. */
  async succeed(limitMs?: number): Promise<void> {
    const code = await this.end(limitMs);
    if (code !== 0) throw this.#failure(`exited ${code}`);
  }

  /** Ends the program. Safe to call at any time, also twice. */
  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), END_LIMIT_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  #hear(text: string): void {
    this.#stdout = `${this.#stdout}${text}\n`.slice(-MAX_KEPT_TEXT);
    if (text.startsWith("{")) this.#lines.push(JSON.parse(text) as Line);
    this.#wake();
  }

  #next(limit: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        limit.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      limit.addEventListener("abort", wake);
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  #failure(what: string): Error {
    return new Error([`${this.#name} ${what}`, this.#stdout, this.#stderr].join("\n"));
  }
}
