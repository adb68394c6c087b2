/** `btpublisher grant`: who may get what is not for every account, and who may publish where. */
import { type Command, Option } from "commander";
import { BtPublisherError } from "../../base/errors.ts";
import type { Json } from "../api-client.ts";
import { action, type CommandContext, examples } from "../command.ts";
import { openApi } from "../server-api.ts";
import { addAccessOptions, type ServerAccessFlags } from "../server-options.ts";
import { formatTable } from "../text.ts";
import { parseDuration } from "../values.ts";

interface GrantFlags extends ServerAccessFlags {
  readonly catalogue?: string;
  readonly publish?: boolean;
  /** Milliseconds. */
  readonly expires?: number;
}

type GrantContext = CommandContext<GrantFlags>;

/** Adds the command to `program`. */
export function register(program: Command): void {
  const grant = program
    .command("grant")
    .description("grants: who may get what is private, and who may publish where")
    .addHelpText(
      "after",
      examples(
        "grant add alice secret.iso --expires 30d",
        "grant add alice --catalogue private",
        "grant add bob --publish --catalogue members",
        "grant rm 0123456789abcdef",
      ),
    );
  const add = grant
    .command("add")
    .description("let a user download a publication or a catalogue, or publish into one")
    .argument("<user>")
    .argument("[publication]", "its name")
    .addOption(
      new Option("--catalogue <name>", "all of it, also what comes later").choices([
        "public",
        "members",
        "private",
      ]),
    )
    .option("--publish", "the right to publish there; without it: to download")
    .option("--expires <time>", "when it ends: 30d, 12h (default: never)", parseDuration);
  addAccessOptions(add).action(action(addGrant));
  const list = grant.command("ls").description("list grants").argument("[user]");
  addAccessOptions(list).action(action(listGrants));
  const remove = grant
    .command("rm")
    .description("take a grant back; downloads by it end at once")
    .argument("<id>");
  addAccessOptions(remove).action(action(removeGrant));
}

async function addGrant(context: GrantContext): Promise<void> {
  const { operands, options, output } = context;
  const [user, publication] = operands;
  const { catalogue, publish, expires } = options;
  if ((publication === undefined) === (catalogue === undefined)) {
    throw new BtPublisherError("USAGE", "name either a publication or a --catalogue");
  }
  const api = await openApi(context);
  const grant = await api.json("POST", "/api/v1/grants", {
    user,
    publication,
    catalogue,
    right: publish === true ? "publish" : "download",
    expiresAt: expires === undefined ? undefined : new Date(Date.now() + expires).toISOString(),
  });
  output.event("grant", grant, textOf(grant).join("  "));
}

async function listGrants(context: GrantContext): Promise<void> {
  const { operands, output } = context;
  const api = await openApi(context);
  const [user] = operands;
  const query = user === undefined ? "" : `?user=${encodeURIComponent(user)}`;
  const rows: string[][] = [];
  for await (const grant of api.list(`/api/v1/grants${query}`, "grants")) {
    output.event("grant", grant);
    rows.push(textOf(grant));
  }
  if (rows.length === 0) output.print("there are no grants");
  else output.print(formatTable(["ID", "USER", "RIGHT", "TO", "EXPIRES"], rows));
}

async function removeGrant(context: GrantContext): Promise<void> {
  const { operands, output } = context;
  const api = await openApi(context);
  const [id = ""] = operands;
  await api.empty("DELETE", `/api/v1/grants/${encodeURIComponent(id)}`);
  output.event("grant-removed", { id }, `Took the grant ${id} back.`);
}

function textOf({ id, user, right, publication, catalogue, expiresAt }: Json): string[] {
  const target = typeof publication === "string" ? publication : `catalogue ${String(catalogue)}`;
  const end = typeof expiresAt === "string" ? expiresAt.slice(0, 10) : "never";
  return [String(id), String(user), String(right), target, end];
}
