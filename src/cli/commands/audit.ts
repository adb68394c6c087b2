/** `btpublisher audit`: who did what on a server, and when. */
import type { Command } from "commander";
import { BtPublisherError } from "../../base/errors.ts";
import type { Json } from "../api-client.ts";
import { action, type CommandContext, examples } from "../command.ts";
import { openApi } from "../server-api.ts";
import { addAccessOptions, type ServerAccessFlags } from "../server-options.ts";
import { parseInteger } from "../values.ts";

interface AuditFlags extends ServerAccessFlags {
  readonly limit: number;
}

/** Entries that the server gives at once. */
const PAGE_LENGTH = 1000;

/** Adds the command to `program`. */
export function register(program: Command): void {
  const parseLimit = (text: string) => parseInteger(text, { min: 1, max: 10_000_000 });
  const command = program
    .command("audit")
    .description("show who did what, newest first; exit 65 when the log was tampered with")
    .option("--limit <count>", "so many entries", parseLimit, 100)
    .addHelpText("after", examples("audit", "audit --limit 100000 --json > audit.jsonl"));
  addAccessOptions(command).action(action(audit));
}

async function audit(context: CommandContext<AuditFlags>): Promise<void> {
  const { options, output } = context;
  const api = await openApi(context);
  let left = options.limit;
  let path: string | undefined = `/api/v1/audit?limit=${Math.min(left, PAGE_LENGTH)}`;
  let brokenAt: unknown;
  while (path !== undefined && left > 0) {
    const page: Json = await api.json("GET", path);
    brokenAt ??= page["brokenAt"];
    for (const entry of (page["entries"] as readonly Json[]).slice(0, left)) {
      output.event("audit", entry, textOf(entry));
      left--;
    }
    path = page["next"] as string | undefined;
  }
  if (brokenAt === undefined) return;
  const message = `entry ${Number(brokenAt)} of the audit log was changed, or what was before it`;
  throw new BtPublisherError("DIGEST", message, { detail: { number: Number(brokenAt) } });
}

function textOf({ at, actor, action, subject, outcome, address }: Json): string {
  const what = `${String(action)} ${String(subject)}`.trimEnd();
  return `${String(at)}  ${String(outcome).padEnd(6)}  ${String(actor)}  ${what}  ${String(address)}`;
}
