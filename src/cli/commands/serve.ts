/** `btpublisher serve`: all roles of the server in one process. */
import type { Command } from "commander";
import { action, examples } from "../command.ts";
import type { ServerFlags } from "../config.ts";
import { addServerOptions, addSourceOptions, addTrackerOptions } from "../server-options.ts";

/** Adds the command to `program`. */
export function register(program: Command): void {
  const command = program
    .command("serve")
    .description("run a server: pages, tracker and first seed")
    .addHelpText(
      "after",
      examples(
        "serve",
        "serve --public-url https://files.example --tls-cert cert.pem --tls-key key.pem",
      ),
    );
  addTrackerOptions(addSourceOptions(addServerOptions(command))).action(
    action<ServerFlags>(async ({ options, ...context }) => {
      const { resolveServerSettings } = await import("../config.ts");
      const { DEFAULT_HTTP_PORT, serve } = await import("../compose/serve.ts");
      const defaults = { data: "btpublisher-data", httpPort: DEFAULT_HTTP_PORT };
      const readSettings = () => resolveServerSettings(options, defaults);
      await serve(await readSettings(), { ...context, readSettings });
    }),
  );
}
