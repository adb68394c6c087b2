/**
 * What every command runs in: its options, an output, a signal that asks it to stop, and the way
 * from what it throws to an exit code.
 *
 * A command that did what it was asked returns; one that was cut short throws. So a server that a
 * signal ends exits 0, and a download that a signal ends exits 128 + the signal.
 */
import process from "node:process";
import { isatty } from "node:tty";
import type { Command } from "commander";
import { BtPublisherError } from "../base/errors.ts";
import { EXIT_BROKEN_PIPE, exitCodeOf, signalExitCodes } from "./exit.ts";
import { createOutput, type Output } from "./output.ts";

/** What a command gets. */
export interface CommandContext<Options> {
  /** What stands on the command line apart from options. */
  readonly operands: readonly string[];
  readonly options: Options;
  readonly output: Output;
  /** Aborted when somebody asks the program to stop: Ctrl-C, SIGTERM, SIGHUP, a closed pipe. */
  readonly signal: AbortSignal;
  /**
   * From now on SIGHUP calls `listener` instead of stopping the program, as it does with daemons. Not
   * on a terminal: there it says that the window was closed.
   */
  readonly onHangup: (listener: () => void) => void;
}

type StopSignal = keyof typeof signalExitCodes;

/** A command that has not stopped this long after it was asked to is ended: clean is 5 s at most. */
const STOP_LIMIT_MS = 10_000;

/** What becomes of a command when nobody reads its output any more. */
export interface ActionOptions {
  /**
   * `stop` (the default) ends it without a word, as any filter ends; `go-on` is for those that
   * change something, and are to do all of it whether somebody listens or not.
   */
  readonly whenUnread?: "stop" | "go-on";
}

/** What to give to commander's `action`: runs `run`, says what it throws, sets the exit code. */
export function action<Options extends object>(
  run: (context: CommandContext<Options>) => Promise<void>,
  { whenUnread = "stop" }: ActionOptions = {},
): (...input: unknown[]) => Promise<void> {
  return async (...input) => {
    const command = input.at(-1) as Command;
    const options = command.optsWithGlobals<Options & { readonly json?: boolean }>();
    const stop = new StopRequest();
    const onHangup = (listener: () => void) => stop.onHangup(listener);
    const output = createOutput({
      json: options.json === true,
      stdout: process.stdout,
      stderr: process.stderr,
      term: process.env["TERM"],
      now: Date.now,
      onBroken: () => {
        if (whenUnread === "stop") stop.request(EXIT_BROKEN_PIPE);
      },
    });
    try {
      await run({ operands: command.args, options, output, signal: stop.signal, onHangup });
    } catch (error) {
      const isCancelled = error instanceof BtPublisherError && error.code === "CANCELLED";
      const isUnread = isCancelled && stop.exitCode === EXIT_BROKEN_PIPE;
      if (!isUnread) output.error(error);
      process.exitCode = (isCancelled ? stop.exitCode : undefined) ?? exitCodeOf(error);
    } finally {
      await output.flush();
      stop.dispose();
    }
  };
}

/** Resolves when somebody asks the program to stop. */
export function stopRequested(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Help text with examples of use, for commander's `addHelpText("after", …)`. */
export function examples(...lines: readonly string[]): string {
  return ["", "Examples:", ...lines.map((line) => `  $ btpublisher ${line}`)].join("\n");
}

/** Turns signals into an AbortSignal once, and into the end of the process the second time. */
class StopRequest {
  readonly #controller = new AbortController();
  readonly #listeners = new Map<StopSignal, () => void>();
  #timer: NodeJS.Timeout | undefined;
  #hangUp: (() => void) | undefined;
  exitCode: number | undefined;

  constructor() {
    for (const [name, exitCode] of Object.entries(signalExitCodes)) {
      const listener = () => {
        if (name === "SIGHUP" && this.#hangUp !== undefined) this.#hangUp();
        else this.request(exitCode);
      };
      this.#listeners.set(name as StopSignal, listener);
      process.on(name as StopSignal, listener);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  onHangup(listener: () => void): void {
    const hasTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
    if (!hasTerminal) this.#hangUp = listener;
  }

  request(exitCode: number): void {
    if (this.exitCode !== undefined) process.exit(exitCode);
    this.exitCode = exitCode;
    this.#timer = setTimeout(() => process.exit(exitCode), STOP_LIMIT_MS);
    this.#timer.unref();
    this.#controller.abort(new BtPublisherError("CANCELLED", "stopped before the work was done"));
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const [name, listener] of this.#listeners) process.off(name, listener);
  }
}
