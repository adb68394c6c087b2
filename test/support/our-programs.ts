/** Our own programs on hosts of the test network. */
import { program } from "./command-line.ts";
import { type Host, startOn } from "./netns.ts";
import type { Line, Program } from "./programs.ts";

/** Starts `btpublisher` with `args` and --json on `host`. */
export function startOurs(host: Host, ...args: readonly string[]): Program {
  return startOn(host, [...program, ...args, "--json"]);
}

/** A server with all roles on one host. */
export interface Server {
  readonly program: Program;
  readonly url: string;
}

/** Starts `serve` with its data in `directory`, and waits until it is ready. */
export async function startServer(
  host: Host,
  directory: string,
  ...more: readonly string[]
): Promise<Server> {
  const url = `http://${host.ip}:8080`;
  const where = ["--data", directory, "--http-port", "8080", "--public-url", url];
  const server = startOurs(host, "serve", ...where, ...more);
  await server.waitFor("event", "ready");
  return { program: server, url };
}

/** Publishes `path` from the server's own host, where no token is needed. @returns the event. */
export async function publishOn(
  host: Host,
  server: Pick<Server, "url">,
  ...args: readonly string[]
): Promise<Line> {
  const run = startOurs(host, "publish", ...args, "--server", server.url);
  await run.succeed();
  return run.waitFor("event", "published");
}
