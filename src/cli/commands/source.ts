/** `btpublisher source`: a SourceNode alone. */
import type { Command } from "commander";
import { action, examples } from "../command.ts";
import type { ServerFlags } from "../config.ts";
import { addControlOptions, addServerOptions, addSourceOptions } from "../server-options.ts";

/** Adds the command to `program`. */
export function register(program: Command): void {
  const command = program
    .command("source")
    .description("run a SourceNode alone: the first seed, with its files")
    .addHelpText(
      "after",
      examples("source --control https://tracker.example --control-key control.key"),
    );
  addControlOptions(addSourceOptions(addServerOptions(command))).action(
    action<ServerFlags>(async ({ options, ...context }) => {
      const { resolveServerSettings } = await import("../config.ts");
      const { runSource } = await import("../compose/source.ts");
      const defaults = { data: "btpublisher-source", httpPort: 8081 };
      const readSettings = () => resolveServerSettings(options, defaults);
      await runSource(await readSettings(), { ...context, readSettings });
    }),
  );
}
