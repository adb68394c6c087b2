/**
 * The command line's entry: names the commands, and turns a wrong use into usage and exit 64.
 *
 * Only the command that runs is loaded, and `register` of each module under `commands/` must import
 * nothing heavy all the same: its action imports what it works with.
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { Command, CommanderError } from "commander";
import { BtPublisherError, exitCodes } from "../base/errors.ts";
import { crashWithoutSecrets } from "./crash.ts";
import { jsonLine } from "./text.ts";
import { description, version } from "./version.ts";

/** One line for each command, in the order of the help. */
const commands = {
  serve: () => import("./commands/serve.ts"),
  publish: () => import("./commands/publish.ts"),
  ls: () => import("./commands/ls.ts"),
  status: () => import("./commands/status.ts"),
  log: () => import("./commands/log.ts"),
  set: () => import("./commands/set.ts"),
  unpublish: () => import("./commands/unpublish.ts"),
  key: () => import("./commands/key.ts"),
  sign: () => import("./commands/sign.ts"),
  get: () => import("./commands/get.ts"),
  seed: () => import("./commands/seed.ts"),
  create: () => import("./commands/create.ts"),
  inspect: () => import("./commands/inspect.ts"),
  verify: () => import("./commands/verify.ts"),
  user: () => import("./commands/user.ts"),
  token: () => import("./commands/token.ts"),
  grant: () => import("./commands/grant.ts"),
  audit: () => import("./commands/audit.ts"),
  tracker: () => import("./commands/tracker.ts"),
  source: () => import("./commands/source.ts"),
  announcer: () => import("./commands/announcer.ts"),
} satisfies Record<string, () => Promise<{ readonly register: (program: Command) => void }>>;

/**
 * The program, not yet run: with the command alone that `commandLine` begins with, since to load all would
 * take longer than many of them run; with all of them when it begins with none.
 */
async function createProgram(commandLine: readonly string[]): Promise<Command> {
  const program = new Command("btpublisher")
    .description(description)
    .version(version)
    .option("--json", "one JSON object a line on standard output")
    .option("--verbose", "also say why each connection of a peer ended")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help of a command")
    .exitOverride();
  const first = commandLine.find((argument) => argument !== "--json" && argument !== "--verbose");
  const named = Object.entries(commands).filter(([name]) => name === first);
  const loads = named.length > 0 ? named : Object.entries(commands);
  for (const { register } of await Promise.all(loads.map(([, load]) => load()))) register(program);
  return program;
}

/** Runs one command line (without node and script). @returns the exit code. */
export async function main(commandLine: readonly string[]): Promise<number> {
  crashWithoutSecrets();
  const program = await createProgram(commandLine);
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
  const file = wrong.commandLine.find((each) => each.startsWith("-") && existsSync(each));
  if (file !== undefined) process.stderr.write(`to name the file ${file}, write ./${file}\n`);
  const named = program.commands.find((command) => wrong.commandLine.includes(command.name()));
  const usage = (named ?? program).createHelp().commandUsage(named ?? program);
  process.stderr.write(`usage: ${usage}\nrun it with --help for more\n`);
}

// Whatever a command left open must not keep the process: its work is done and flushed.
if (import.meta.main) process.exit(await main(process.argv.slice(2)));
