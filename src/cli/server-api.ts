/** How commands get at a server's API; loaded only by those that run. */
import process from "node:process";
import type { ApiClient } from "./api-client.ts";
import type { CommandContext } from "./command.ts";
import type { ServerAccessFlags } from "./server-options.ts";

type Context = CommandContext<ServerAccessFlags>;

/** The API of the server that the options name. @throws as `accessServer`. */
export async function openApi({ options, signal }: Context): Promise<ApiClient> {
  const { accessServer } = await import("./server-access.ts");
  return (await accessServer(options, process.env, signal)).api;
}

/** The publication that the first operand names, and the API where it is. @throws USAGE as well. */
export async function openPublication(
  context: Context,
): Promise<{ readonly api: ApiClient; readonly name: string }> {
  const { parsePublication } = await import("./server-access.ts");
  const { name, flags } = parsePublication(context.operands[0] ?? "", context.options);
  return { api: await openApi({ ...context, options: flags }), name };
}
