/** `btpublisher unpublish`: ends a publication, or an upload. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { BtPublisherError } from "../../base/errors.ts";
import type { ApiClient } from "../api-client.ts";
import { action, type CommandContext, examples } from "../command.ts";
import { openPublication } from "../server-api.ts";
import { addAccessOptions, type ServerAccessFlags } from "../server-options.ts";

/** How often is asked whether it is done. */
const POLL_MS = 200;

/** Adds the command to `program`. */
export function register(program: Command): void {
  const command = program
    .command("unpublish")
    .description("end a publication; files that were published where they lie stay")
    .argument("<publication>", "its name, or the address of its page")
    .addHelpText("after", examples("unpublish debian.iso"));
  addAccessOptions(command).action(action(unpublish));
}

async function unpublish(context: CommandContext<ServerAccessFlags>): Promise<void> {
  const { output, signal } = context;
  const { api, name } = await openPublication(context);
  const path = `/api/v1/publications/${encodeURIComponent(name)}`;
  await api.json("DELETE", path);
  while (await isThere(api, path))
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  output.event("unpublished", { name }, `Unpublished ${name}.`);
}

async function isThere(api: ApiClient, path: string): Promise<boolean> {
  try {
    await api.json("GET", `${path}/status`);
    return true;
  } catch (error) {
    // A token that may publish and nothing else may not look: its end has begun all the same.
    const isGone = error instanceof BtPublisherError && /^(NOT_FOUND|DENIED)$/.test(error.code);
    if (!isGone) throw error;
    return false;
  }
}
