/**
 * The command line's entry: names the commands, and turns a wrong use into usage and exit 64.
 *
 * Commands are described here and loaded when they run: `register` of each module under
 * `commands/` must import nothing heavy; its action imports what it works with.
 */
import process from "node:process";
import { Command, CommanderError } from "commander";
import { BtPublisherError, exitCodes } from "../base/errors.ts";
import { register as registerAnnouncer } from "./commands/announcer.ts";
import { register as registerAudit } from "./commands/audit.ts";
import { register as registerCreate } from "./commands/create.ts";
import { register as registerGet } from "./commands/get.ts";
import { register as registerGrant } from "./commands/grant.ts";
import { register as registerInspect } from "./commands/inspect.ts";
import { register as registerLog } from "./commands/log.ts";
import { register as registerLs } from "./commands/ls.ts";
import { register as registerPublish } from "./commands/publish.ts";
import { register as registerSeed } from "./commands/seed.ts";
import { register as registerServe } from "./commands/serve.ts";
import { register as registerSet } from "./commands/set.ts";
import { register as registerSource } from "./commands/source.ts";
import { register as registerStatus } from "./commands/status.ts";
import { register as registerToken } from "./commands/token.ts";
import { register as registerTracker } from "./commands/tracker.ts";
import { register as registerUnpublish } from "./commands/unpublish.ts";
import { register as registerUser } from "./commands/user.ts";
import { register as registerVerify } from "./commands/verify.ts";
import { jsonLine } from "./text.ts";
import { description, version } from "./version.ts";

/** One line for each command, in the order of the help. */
const registrations: readonly ((program: Command) => void)[] = [
  registerServe,
  registerPublish,
  registerLs,
  registerStatus,
  registerLog,
  registerSet,
  registerUnpublish,
  registerGet,
  registerSeed,
  registerCreate,
  registerInspect,
  registerVerify,
  registerUser,
  registerToken,
  registerGrant,
  registerAudit,
  registerTracker,
  registerSource,
  registerAnnouncer,
];

/** The program with all its commands, not yet run. */
export function createProgram(): Command {
  const program = new Command("btpublisher")
    .description(description)
    .version(version)
    .option("--json", "one JSON object a line on standard output")
    .option("--verbose", "also say why each connection of a peer ended")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help of a command")
    .exitOverride();
  for (const register of registrations) register(program);
  return program;
}

/** Runs one command line (without node and script). @returns the exit code. */
export async function main(commandLine: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(commandLine, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.ok;
    sayUsage(program, { commandLine, message: error.message });
    return exitCodes.usage;
  }
  return Number(process.exitCode ?? exitCodes.ok);
}

/** Commander has already written the message, or with no command at all the whole help. */
function sayUsage(
  program: Command,
  wrong: { readonly commandLine: readonly string[]; readonly message: string },
): void {
  if (wrong.commandLine.includes("--json")) {
    const { code, message } = new BtPublisherError("USAGE", wrong.message.replace(/^error: /, ""));
    const at = new Date().toISOString();
    process.stdout.write(`${jsonLine({ event: "error", at, code, message })}\n`);
  }
  if (wrong.commandLine.length === 0) return;
  const named = program.commands.find((command) => wrong.commandLine.includes(command.name()));
  const usage = (named ?? program).createHelp().commandUsage(named ?? program);
  process.stderr.write(`usage: ${usage}\nrun it with --help for more\n`);
}

// Whatever a command left open must not keep the process: its work is done and flushed.
if (import.meta.main) process.exit(await main(process.argv.slice(2)));
