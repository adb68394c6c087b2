/** `btpublisher status`: what a server does, for all or for one publication. */
import type { Command } from "commander";
import type { ApiClient, Json } from "../api-client.ts";
import { action, type CommandContext, examples } from "../command.ts";
import type { Output } from "../output.ts";
import { openApi, openPublication } from "../server-api.ts";
import { addAccessOptions, type ServerAccessFlags } from "../server-options.ts";
import { formatBytes, formatRate, formatTable } from "../text.ts";

/** Adds the command to `program`. */
export function register(program: Command): void {
  const command = program
    .command("status")
    .description("show the SourceNodes of a server, or one publication")
    .argument("[publication]", "its name, or the address of its page")
    .addHelpText("after", examples("status", "status debian.iso --json"));
  addAccessOptions(command).action(action(status));
}

async function status(context: CommandContext<ServerAccessFlags>): Promise<void> {
  const { operands, output } = context;
  if (operands.length === 0) return sayServer(await openApi(context), output);
  const { api, name } = await openPublication(context);
  const path = `/api/v1/publications/${encodeURIComponent(name)}/status`;
  return sayPublication(await api.json("GET", path), output);
}

async function sayServer(api: ApiClient, output: Output): Promise<void> {
  const answer = await api.json("GET", "/api/v1/status");
  output.event("status", answer);
  const sources = answer["sources"] as readonly Json[];
  if (sources.length === 0) return output.print("no SourceNode is connected");
  const rows = sources.map((source) => [
    String(source["sourceId"]).slice(0, 8),
    source["isAlive"] === true ? "alive" : "silent",
    formatRate(Number(source["uplinkBytesPerSecond"] ?? 0)),
    String(Number(source["connections"] ?? 0)),
    `${Math.round(100 * Number(source["cpuFraction"] ?? 0))} %`,
    String(Number(source["publications"] ?? 0)),
  ]);
  output.print(formatTable(["SOURCE", "STATE", "UPLINK", "PEERS", "CPU", "PUBLICATIONS"], rows));
}

function sayPublication(answer: Json, output: Output): void {
  output.event("status", answer);
  const { name, state, withdrawn, bytes, progress, peers, sentBytes, copiesSent, copies } = answer;
  const counts = peers as { complete: number; incomplete: number; downloaded: number } | undefined;
  const hashed = progress as { bytes: number; total: number } | undefined;
  const lines: readonly (readonly [string, string | undefined])[] = [
    ["name", String(name)],
    ["state", String(state)],
    ["why", withdrawn === undefined ? undefined : String((withdrawn as Json)["message"])],
    ["size", bytes === undefined ? undefined : formatBytes(Number(bytes))],
    ["policy", policyText(answer)],
    ["hashed", hashed && `${formatBytes(hashed.bytes)} of ${formatBytes(hashed.total)}`],
    ["peers", counts && `${counts.complete} complete, ${counts.incomplete} downloading`],
    ["completed", counts && `${counts.downloaded} times`],
    ["sent", sentBytes === undefined ? undefined : sentText(Number(sentBytes), Number(copiesSent))],
    ["copies", copies === undefined ? undefined : `${Number(copies)} outside the server`],
    ...participationLines(answer["participation"] as Json | undefined),
  ];
  for (const [key, text] of lines) {
    if (text !== undefined) output.print(`${key.padEnd(10)} ${text}`);
  }
}

/** Its name, and the version that `set --if-version` takes. */
function policyText({ policy, policyVersion }: Json): string {
  return `${(policy as { policy: string }).policy} (version ${String(policyVersion)})`;
}

/** How much the server takes part, and what came of it. */
function participationLines(
  participation: Json | undefined,
): readonly (readonly [string, string | undefined])[] {
  if (participation === undefined) return [];
  const { state, message, since, savedBytes, uplink, directShare, boundRatio, copies, floor } =
    participation;
  return [
    ["takes part", `${String(state)} since ${String(since)}: ${String(message)}`],
    ["evidence", `${Number(copies)} copies seen, ${Number(floor)} wanted`],
    ["saved", formatBytes(Number(savedBytes))],
    ["uplink", `${formatRate(Number(uplink))}, ${formatRate(Number(directShare))} a downloader`],
    [
      "bound",
      boundRatio === undefined
        ? undefined
        : `${Number(boundRatio).toFixed(2)} × the least time that this crowd can take`,
    ],
  ];
}

function sentText(sentBytes: number, copiesSent: number): string {
  return `${formatBytes(sentBytes)}, ${copiesSent.toFixed(2)} copies`;
}
