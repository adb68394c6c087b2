/** Programs that a test starts on a host: what they say, and their certain end. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Host, spawnOn } from "./netns.ts";

/** One line of a program that speaks JSON lines. */
export type Line = Readonly<Record<string, unknown>>;

/** How long a program may take to end after SIGTERM before it is killed. */
const END_LIMIT_MS = 10_000;

/** A started program. Its JSON lines are kept, so that waiting for one never comes too late. */
export class Program {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: Line[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #closed: Promise<void>;
  #errors = "";
  #hasClosed = false;

  constructor(host: Host, command: readonly string[]) {
    this.#name = command.join(" ");
    this.#child = spawnOn(host, command, { stdio: ["ignore", "pipe", "pipe"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#hear(line));
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    this.#closed = once(this.#child, "close").then(() => {
      this.#hasClosed = true;
      this.#wake();
    });
  }

  get lines(): readonly Line[] {
    return this.#lines;
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

  /** Waits for the program's end by itself. @returns its exit code. */
  async end(limitMs = 90_000): Promise<number> {
    const limit = AbortSignal.timeout(limitMs);
    while (!this.#hasClosed) {
      if (limit.aborted) throw this.#failure(`did not end within ${limitMs} ms`);
      await this.#next(limit);
    }
    return this.#child.exitCode ?? -1;
  }

  /** Waits for a good end. @throws when the exit code is not 0. */
  async succeed(limitMs?: number): Promise<void> {
    const code = await this.end(limitMs);
    if (code !== 0) throw this.#failure(`exited ${code}`);
  }

  /** Ends the program. Safe to call at any time, also twice. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), END_LIMIT_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  #hear(text: string): void {
    try {
      this.#lines.push(JSON.parse(text) as Line);
    } catch {
      this.#errors = `${this.#errors}${text}\n`.slice(-4000);
    }
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
    const said = this.#lines.slice(-5).map((line) => JSON.stringify(line));
    return new Error([`${this.#name} ${what}`, ...said, this.#errors].join("\n"));
  }
}
