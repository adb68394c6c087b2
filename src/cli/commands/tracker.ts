/** `btpublisher tracker`: the Tracker alone. */
import type { Command } from "commander";
import { action, examples } from "../command.ts";
import type { ServerFlags } from "../config.ts";
import { addServerOptions, addTrackerOptions } from "../server-options.ts";

/** Adds the command to `program`. */
export function register(program: Command): void {
  const command = program
    .command("tracker")
    .description("run a Tracker alone")
    .addHelpText("after", examples("tracker --public-url https://tracker.example"));
  addTrackerOptions(addServerOptions(command)).action(
    action<ServerFlags>(async ({ options, ...context }) => {
      const { resolveServerSettings } = await import("../config.ts");
      const { runTracker } = await import("../compose/tracker.ts");
      const defaults = { data: "btpublisher-tracker", httpPort: 8080 };
      const readSettings = () => resolveServerSettings(options, defaults);
      await runTracker(await readSettings(), { ...context, readSettings });
    }),
  );
}
