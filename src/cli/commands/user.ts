/** `btpublisher user`: who has an account, and as what. */
import { type Command, Option } from "commander";
import { action, type CommandContext, examples } from "../command.ts";
import { openApi } from "../server-api.ts";
import { addAccessOptions, type ServerAccessFlags } from "../server-options.ts";
import { formatTable } from "../text.ts";
import { parseDuration } from "../values.ts";

interface UserFlags extends ServerAccessFlags {
  readonly role?: string;
  readonly password?: boolean;
  readonly passwordFile?: string;
  readonly disable?: boolean;
  readonly enable?: boolean;
  readonly infoHash?: string;
  /** Milliseconds. */
  readonly grace?: number;
}

type UserContext = CommandContext<UserFlags>;

const roles = ["downloader", "publisher", "maintainer"];

/** Adds the command to `program`. */
export function register(program: Command): void {
  const user = program
    .command("user")
    .description("accounts: who may publish and download")
    .addHelpText(
      "after",
      examples(
        "user add alice",
        "user add bob --role publisher --password",
        "user set alice --disable",
        "user rotate alice --grace 0",
        "user setup 'https://files.example/setup#btps_...' carol",
      ),
    );
  addAdd(user);
  addAccessOptions(user.command("ls").description("list accounts")).action(action(list));
  addSet(user);
  addAccessOptions(
    user
      .command("rm")
      .description("remove an account, its tokens, grants and keys; its downloads end at once")
      .argument("<name>"),
  ).action(action(remove));
  addRotate(user);
  addSetup(user);
}

function addAdd(user: Command): void {
  const command = user
    .command("add")
    .description("add an account; make it a token with: btpublisher token create")
    .argument("<name>", "lower-case letters, digits, '.', '_', '-'")
    .addOption(new Option("--role <role>", "what it is for").choices(roles).default("downloader"));
  addAccessOptions(addPasswordOptions(command)).action(action(add));
}

function addSet(user: Command): void {
  const command = user
    .command("set")
    .description("change an account; another password ends its tokens")
    .argument("<name>")
    .addOption(new Option("--role <role>", "what it is for").choices(roles))
    .option("--disable", "it may do nothing any more")
    .addOption(new Option("--enable", "it may again").conflicts("disable"));
  addAccessOptions(addPasswordOptions(command)).action(action(change));
}

function addRotate(user: Command): void {
  const command = user
    .command("rotate")
    .description("replace the keys in a user's .torrent files, which are then fetched again")
    .argument("<name>")
    .option("--info-hash <hash>", "of one torrent only")
    .option(
      "--grace <time>",
      "how long old keys stay good (default: 1d; 0: leaked)",
      parseDuration,
    );
  addAccessOptions(command).action(action(rotate));
}

function addSetup(user: Command): void {
  user
    .command("setup")
    .description("make the first maintainer, by the link that the server printed")
    .argument("<link>")
    .argument("<name>")
    .option("--password-file <file>", "file with the password (or BTPUBLISHER_PASSWORD)")
    .action(action(setUp));
}

function addPasswordOptions(command: Command): Command {
  return command
    .option("--password", "give it a password: typed, or from BTPUBLISHER_PASSWORD")
    .option("--password-file <file>", "give it the password in this file");
}

async function add(context: UserContext): Promise<void> {
  const { operands, options, output } = context;
  const api = await openApi(context);
  const [name] = operands;
  const body = { name, role: options.role, password: await passwordFrom(options) };
  const user = await api.json("POST", "/api/v1/users", body);
  output.event("user", user, `Added ${String(user["name"])}, ${String(user["role"])}.`);
}

async function list(context: UserContext): Promise<void> {
  const { output } = context;
  const api = await openApi(context);
  const rows: string[][] = [];
  for await (const user of api.list("/api/v1/users", "users")) {
    output.event("user", user);
    const state = user["isDisabled"] === true ? "disabled" : "enabled";
    const { name, role, createdAt } = user;
    rows.push([String(name), String(role), state, String(createdAt).slice(0, 10)]);
  }
  if (rows.length === 0) output.print("there are no accounts yet: btpublisher user add");
  else output.print(formatTable(["NAME", "ROLE", "STATE", "SINCE"], rows));
}

async function change(context: UserContext): Promise<void> {
  const { operands, options, output } = context;
  const api = await openApi(context);
  const { role, disable, enable } = options;
  const isDisabled = disable === true ? true : enable === true ? false : undefined;
  const body = { role, isDisabled, password: await passwordFrom(options) };
  const user = await api.json("PATCH", pathOf(operands[0]), body);
  output.event("user", user, `Changed ${String(user["name"])}.`);
}

async function remove(context: UserContext): Promise<void> {
  const { operands, output } = context;
  const api = await openApi(context);
  const [name] = operands;
  await api.empty("DELETE", pathOf(name));
  output.event("user-removed", { name }, `Removed ${name}.`);
}

async function rotate(context: UserContext): Promise<void> {
  const { operands, options, output } = context;
  const api = await openApi(context);
  const { infoHash, grace } = options;
  const graceSeconds = grace === undefined ? undefined : Math.round(grace / 1000);
  const [name] = operands;
  const path = `${pathOf(name)}/rotate-keys`;
  const { count } = await api.json("POST", path, { infoHash, graceSeconds });
  const text = `${Number(count)} keys of ${name} were replaced; a .torrent that is fetched now has a new one.`;
  output.event("keys-rotated", { name, count }, text);
}

async function setUp({ operands, options, output, signal }: UserContext): Promise<void> {
  const { parseSetupLink } = await import("../server-access.ts");
  const { ApiClient } = await import("../api-client.ts");
  const { readPassword } = await import("../password.ts");
  const [link = "", name = ""] = operands;
  const { url, token } = parseSetupLink(link);
  const password = await readPassword(options.passwordFile, `A password for ${name}`);
  const api = new ApiClient({ url, token: undefined, signal });
  const user = await api.json("POST", "/api/v1/setup", { token, name, password });
  const next = `make yourself a token with: btpublisher token login ${name} --server ${url}`;
  output.event("user", user, `${name} is the maintainer; ${next}`);
}

async function passwordFrom(flags: UserFlags): Promise<string | undefined> {
  if (flags.password !== true && flags.passwordFile === undefined) return undefined;
  const { readPassword } = await import("../password.ts");
  return readPassword(flags.passwordFile, "The new password");
}

function pathOf(name = ""): string {
  return `/api/v1/users/${encodeURIComponent(name)}`;
}
