/** `btpublisher set`: changes how much the server takes part in a publication, while it runs. */
import type { Command } from "commander";
import { BtPublisherError } from "../../base/errors.ts";
import { action, type CommandContext, examples } from "../command.ts";
import { addPolicyOptions, type PolicyFlags, policyOf } from "../policy-options.ts";
import { openPublication } from "../server-api.ts";
import { addAccessOptions, type ServerAccessFlags } from "../server-options.ts";

type SetFlags = ServerAccessFlags & PolicyFlags & { readonly ifVersion?: string };

/** Adds the command to `program`. */
export function register(program: Command): void {
  const command = program
    .command("set")
    .description(
      "change how much the server helps a publication; what is not named stays, 'none' takes away",
    )
    .argument("<publication>", "its name, or the address of its page")
    .option(
      "--if-version <version>",
      "only if its policy is still this version: `status` tells it (exit code 75 if it is not)",
    )
    .addHelpText(
      "after",
      examples("set debian.iso --policy thrifty", "set debian.iso --deadline none"),
    );
  addPolicyOptions(addAccessOptions(command), "change").action(action(set));
}

async function set(context: CommandContext<SetFlags>): Promise<void> {
  const { options, output } = context;
  const policy = policyOf(options);
  if (policy === undefined) {
    throw new BtPublisherError("USAGE", "say what to change, as --policy fast or --floor 3");
  }
  const { api, name } = await openPublication(context);
  const path = `/api/v1/publications/${encodeURIComponent(name)}/policy`;
  const { ifVersion } = options;
  const headers = ifVersion === undefined ? undefined : { "if-match": `"${ifVersion}"` };
  const answer = await api.json("PATCH", path, policy, headers);
  const changed = answer["policy"] as { readonly policy: string };
  const facts = { name, policy: changed, policyVersion: answer["policyVersion"] };
  output.event("set", facts, `${name} is served by ${changed.policy} now.`);
}
