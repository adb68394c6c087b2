/** `btpublisher token`: what programs show instead of a password. */
import { type Command, InvalidArgumentError } from "commander";
import type { ApiClient } from "../api-client.ts";
import { action, type CommandContext, examples } from "../command.ts";
import type { Output } from "../output.ts";
import { openApi } from "../server-api.ts";
import { addAccessOptions, DEFAULT_SERVER, type ServerAccessFlags } from "../server-options.ts";
import { formatTable } from "../text.ts";
import { collect, parseDuration } from "../values.ts";

interface TokenFlags extends ServerAccessFlags {
  readonly user?: string;
  readonly scope?: readonly string[];
  /** Milliseconds. */
  readonly expires?: number;
  readonly passwordFile?: string;
}

type TokenContext = CommandContext<TokenFlags>;

const scopes = ["download", "publish", "read:stats", "admin"];

/** Adds the command to `program`. */
export function register(program: Command): void {
  const token = program
    .command("token")
    .description("tokens: what programs show instead of a password")
    .addHelpText(
      "after",
      examples(
        "token create alice --expires 30d",
        "token create bob --scope publish --scope download",
        "token login alice --server https://files.example",
        "token revoke 0123456789abcdef",
      ),
    );
  const create = token
    .command("create")
    .description("make a token for a user; it is printed once")
    .argument("<user>");
  addAccessOptions(addWishes(create)).action(action(make));
  const login = token
    .command("login")
    .description("make a token for oneself, by one's password; it is printed once")
    .argument("<user>")
    .option("--server <url>", `the server (default: ${DEFAULT_SERVER})`)
    .option("--password-file <file>", "file with the password (or BTPUBLISHER_PASSWORD)");
  addWishes(login).action(action(logIn));
  const list = token
    .command("ls")
    .description("list tokens: one's own, or for maintainers all")
    .option("--user <name>", "of this user only");
  addAccessOptions(list).action(action(listTokens));
  const revoke = token.command("revoke").description("end a token").argument("<id>");
  addAccessOptions(revoke).action(action(endToken));
}

function addWishes(command: Command): Command {
  return command
    .option(
      "--scope <scope>",
      `what it may be used for: ${scopes.join(", ")}; may be repeated (default: all that the user may)`,
      collect(parseScope),
    )
    .option(
      "--expires <time>",
      "when it ends: 30d, 12h (default: 90d, at most 366d)",
      parseDuration,
    );
}

function parseScope(text: string): string {
  if (scopes.includes(text)) return text;
  throw new InvalidArgumentError(`Use one of ${scopes.join(", ")}.`);
}

async function make(context: TokenContext): Promise<void> {
  const { operands, options, output } = context;
  const api = await openApi(context);
  await create(api, "/api/v1/tokens", { user: operands[0], ...wishesOf(options) }, output);
}

async function logIn({ operands, options, output, signal }: TokenContext): Promise<void> {
  const { ApiClient } = await import("../api-client.ts");
  const { readPassword } = await import("../password.ts");
  const { parseServerUrl } = await import("../server-access.ts");
  const [name = ""] = operands;
  const password = await readPassword(options.passwordFile, `Password of ${name}`);
  const url = parseServerUrl(options.server ?? DEFAULT_SERVER);
  const api = new ApiClient({ url, token: undefined, signal });
  await create(api, "/api/v1/login", { name, password, ...wishesOf(options) }, output);
}

async function create(api: ApiClient, path: string, body: object, output: Output): Promise<void> {
  const made = await api.json("POST", path, body);
  const { token, id, scopes: allowed, expiresAt } = made;
  const text = `${String(token)}

This is the only time that it is shown. Its id is ${String(id)}; it may be used for
${(allowed as readonly string[]).join(", ")} until ${String(expiresAt).slice(0, 10)}.`;
  output.reveal("token", made, text);
}

async function listTokens(context: TokenContext): Promise<void> {
  const { options, output } = context;
  const api = await openApi(context);
  const query = options.user === undefined ? "" : `?user=${encodeURIComponent(options.user)}`;
  const rows: string[][] = [];
  for await (const token of api.list(`/api/v1/tokens${query}`, "tokens")) {
    output.event("token", token);
    const { id, user, scopes: allowed, expiresAt, lastUsedAt, revokedAt } = token;
    const end = revokedAt === undefined ? String(expiresAt).slice(0, 10) : "revoked";
    const use = typeof lastUsedAt === "string" ? lastUsedAt.slice(0, 16) : "never";
    rows.push([String(id), String(user), (allowed as readonly string[]).join(","), end, use]);
  }
  if (rows.length === 0) output.print("there are no tokens");
  else output.print(formatTable(["ID", "USER", "SCOPES", "EXPIRES", "LAST USED"], rows));
}

async function endToken(context: TokenContext): Promise<void> {
  const { operands, output } = context;
  const api = await openApi(context);
  const [id = ""] = operands;
  await api.empty("DELETE", `/api/v1/tokens/${encodeURIComponent(id)}`);
  output.event("token-revoked", { id }, `Revoked the token ${id}.`);
}

function wishesOf({ scope, expires }: TokenFlags): object {
  return {
    scopes: scope,
    lifeSeconds: expires === undefined ? undefined : Math.round(expires / 1000),
  };
}
