/** `btpublisher ls`: what a server has. */
import type { Command } from "commander";
import type { Json } from "../api-client.ts";
import { action, type CommandContext, examples } from "../command.ts";
import { openApi } from "../server-api.ts";
import { addAccessOptions, type ServerAccessFlags } from "../server-options.ts";
import { formatBytes, formatTable } from "../text.ts";

/** Adds the command to `program`. */
export function register(program: Command): void {
  const command = program
    .command("ls")
    .argument("[text]", "only those with this in a name")
    .description("list the publications of a server, newest first")
    .addHelpText("after", examples("ls", "ls debian", "ls --server https://files.example --json"));
  addAccessOptions(command).action(action(list));
}

async function list(context: CommandContext<ServerAccessFlags>): Promise<void> {
  const { operands, output } = context;
  const [text = ""] = operands;
  const api = await openApi(context);
  const rows: string[][] = [];
  const whys: string[] = [];
  const query = text === "" ? "" : `&q=${encodeURIComponent(text)}`;
  const path = `/api/v1/publications?limit=100${query}`;
  for await (const publication of api.list(path, "publications")) {
    output.event("publication", publication);
    rows.push(rowOf(publication));
    const withdrawn = publication["withdrawn"] as Json | undefined;
    if (withdrawn !== undefined) {
      whys.push(`${String(publication["name"])}: ${String(withdrawn["message"])}`);
    }
  }
  if (rows.length === 0) {
    output.print(text === "" ? "nothing is published here yet" : `nothing here is named ${text}`);
  } else output.print(formatTable(["NAME", "SIZE", "STATE", "PEERS", "PUBLISHED"], rows));
  for (const why of whys) output.print(why);
}

function rowOf(publication: Json): string[] {
  const { name, state, bytes, publishedAt, createdAt } = publication;
  const peers = publication["peers"] as { complete: number; incomplete: number } | undefined;
  return [
    String(name),
    bytes === undefined ? "" : formatBytes(Number(bytes)),
    String(state),
    peers === undefined ? "" : String(peers.complete + peers.incomplete),
    String(publishedAt ?? createdAt).slice(0, 10),
  ];
}
