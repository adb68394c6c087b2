/** `btpublisher announcer`: an Announcer alone. */
import type { Command } from "commander";
import { action, examples } from "../command.ts";
import type { ServerFlags } from "../config.ts";
import { addControlOptions, addServerOptions } from "../server-options.ts";

/** Adds the command to `program`. */
export function register(program: Command): void {
  const command = program
    .command("announcer")
    .description("run an Announcer alone: pages and publishing")
    .addHelpText(
      "after",
      examples("announcer --control https://tracker.example --control-key control.key"),
    );
  addControlOptions(addServerOptions(command)).action(
    action<ServerFlags>(async ({ options, ...context }) => {
      const { resolveServerSettings } = await import("../config.ts");
      const { runAnnouncer } = await import("../compose/announcer.ts");
      const defaults = { data: "btpublisher-announcer", httpPort: 8082 };
      const readSettings = () => resolveServerSettings(options, defaults);
      await runAnnouncer(await readSettings(), { ...context, readSettings });
    }),
  );
}
