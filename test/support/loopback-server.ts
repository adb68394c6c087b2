/** A `btpublisher serve` on loopback, that can be killed and started again where it was. */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { startCommand } from "./command-line.ts";
import type { Line, Program } from "./programs.ts";

/** A running server. */
export interface LoopbackServer {
  readonly program: Program;
  readonly ready: Line;
  readonly url: string;
  readonly token: string;
}

/** Starts a server with its data in `folder`/data; `port` 0: any free one. */
export async function startLoopbackServer(
  folder: string,
  port = 0,
  ...more: readonly string[]
): Promise<LoopbackServer> {
  const place = ["--data", "data", "--host", "127.0.0.1", "--http-port", String(port)];
  const program = startCommand(folder, "serve", "--json", ...place, "--peer-port", "0", ...more);
  const ready = await program.waitFor("event", "ready");
  const token = readFileSync(String(ready["tokenFile"]), "utf8").trim();
  return { program, ready, url: String(ready["url"]), token };
}

/** Ends it at once, as a power cut would, and starts it again on the same port. */
export async function killAndRestart(
  folder: string,
  { program, url }: LoopbackServer,
): Promise<LoopbackServer> {
  program.child.kill("SIGKILL");
  await program.end();
  return startLoopbackServer(folder, Number(new URL(url).port));
}

/** Begins to append to a file of an upload, and leaves the body open after `bytes`. */
export function beginAppend(
  { url, token }: LoopbackServer,
  path: string,
  { bytes, length }: { readonly bytes: Uint8Array; readonly length: number },
): { abort(): void } {
  const sending = request(new URL(path, url), {
    method: "PATCH",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/octet-stream",
      "content-length": length,
      "upload-offset": "0",
    },
  });
  // It ends with the server's death, as it is meant to.
  sending.on("error", () => undefined);
  sending.write(bytes);
  return { abort: () => sending.destroy() };
}

/** A request with the publish token. */
export function authorized(
  { url, token }: LoopbackServer,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return fetch(new URL(path, url), { ...init, headers });
}
