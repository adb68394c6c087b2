/** The program as a user starts it: a process with arguments, output and an exit code. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** What to start: Node, and the script. */
export const program = [
  process.execPath,
  fileURLToPath(new URL("../../bin/btpublisher.mjs", import.meta.url)),
] as const;

/** How a run ended. */
export interface Ended {
  /** Exit code; undefined when a signal ended the process. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a started run offers. */
export interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts `btpublisher` with `args` in the folder `cwd`. */
export function startCommand(cwd: string, args: readonly string[]): Run {
  const child = spawn(program[0], [program[1], ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]).then(
    ([stdout, stderr]) => ({ code: child.exitCode ?? undefined, stdout, stderr }),
  );
  return { child, ended };
}

/** Runs `btpublisher` with `args` in the folder `cwd` to its end. */
export function runCommand(cwd: string, ...args: readonly string[]): Promise<Ended> {
  return startCommand(cwd, args).ended;
}

/** Waits until `child` has said `wanted` on its standard output. @throws when it ends before. */
export async function waitForOutput(child: ChildProcess, wanted: string): Promise<void> {
  let said = "";
  for await (const data of child.stdout!.iterator({ destroyOnReturn: false })) {
    said += String(data);
    if (said.includes(wanted)) return;
  }
  throw new Error(`ended before it said ${wanted}, having said ${said}`);
}
