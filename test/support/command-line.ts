/** The program as a user starts it: a process with arguments, output and an exit code. */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Program } from "./programs.ts";

/** What to start: Node, and the script. */
export const program = [
  process.execPath,
  fileURLToPath(new URL("../../bin/btpublisher.mjs", import.meta.url)),
] as const;

/** How a run ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `btpublisher` with `args` in the folder `cwd`. */
export function startCommand(cwd: string, ...args: readonly string[]): Program {
  const [node, script] = program;
  const child = spawn(node, [script, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  return new Program(`btpublisher ${args.join(" ")}`, child);
}

/** Runs `btpublisher` with `args` in the folder `cwd` to its end. */
export async function runCommand(cwd: string, ...args: readonly string[]): Promise<Ended> {
  const run = startCommand(cwd, ...args);
  const code = await run.end();
  return { code, stdout: run.stdout, stderr: run.stderr };
}
