/** `btpublisher log`: the ledger of a publication, which piece went to which node. */
import { type Command, InvalidArgumentError } from "commander";
import { fromHex } from "../../base/bytes.ts";
import { clientNameOf } from "../../protocol/wire/client-name.ts";
import type { Json } from "../api-client.ts";
import { action, type CommandContext, examples } from "../command.ts";
import { openPublication } from "../server-api.ts";
import { addAccessOptions, type ServerAccessFlags } from "../server-options.ts";
import { formatBytes } from "../text.ts";
import { parseDuration, parseInstant } from "../values.ts";

interface LogFlags extends ServerAccessFlags {
  /** ISO 8601. */
  readonly since?: string;
}

/** Adds the command to `program`. */
export function register(program: Command): void {
  const command = program
    .command("log")
    .description("show which piece went to which node, oldest first")
    .argument("<publication>", "its name, or the address of its page")
    .option("--since <time>", "a moment, as 2026-12-31T18:00, or how long ago: 2h", parseSince)
    .addHelpText("after", examples("log debian.iso --since 1h"));
  addAccessOptions(command).action(action(log));
}

async function log(context: CommandContext<LogFlags>): Promise<void> {
  const { options, output } = context;
  const { api, name } = await openPublication(context);
  const query = options.since === undefined ? "" : `?since=${encodeURIComponent(options.since)}`;
  const path = `/api/v1/publications/${encodeURIComponent(name)}/ledger${query}`;
  for await (const entry of api.lines("GET", path)) {
    const { event: _event, ...fields } = entry;
    output.event("sent", fields, textOf(entry));
  }
}

function textOf(entry: Json): string {
  const { at, door, address, peerId, pieceIndex, bytes } = entry;
  const size = formatBytes(Number(bytes)).padStart(7);
  const id = typeof peerId === "string" ? fromHex(peerId) : undefined;
  const client = id === undefined ? "" : clientNameOf(id);
  const node = `${String(address)} ${client}`.trimEnd();
  return `${String(at)}  ${String(door).padEnd(10)}  piece ${String(pieceIndex)}  ${size}  ${node}`;
}

function parseSince(text: string): string {
  if (/^\d{4}-/.test(text)) return parseInstant(text);
  if (!/^[0-9.]+[smhd]?$/.test(text)) {
    throw new InvalidArgumentError("Use a moment, as 2026-12-31T18:00, or how long ago: 90s, 2h.");
  }
  return new Date(Date.now() - parseDuration(text)).toISOString();
}
