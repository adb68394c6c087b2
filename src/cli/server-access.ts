/**
 * Which server a command talks to, and with which token: `--token`, `BTPUBLISHER_TOKEN`, or on the
 * server's own machine the file in its data folder, whose place the server tells.
 */
import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { basename } from "node:path";
import { canonicalIp, isLoopbackIp, parseIp } from "../base/ip-address.ts";
import { BtPublisherError } from "../base/errors.ts";
import { ApiClient } from "./api-client.ts";
import { DEFAULT_SERVER, type ServerAccessFlags } from "./server-options.ts";

/** A server to talk to. */
export interface ServerAccess {
  readonly api: ApiClient;
  /** It runs on this machine: paths mean the same to both. */
  readonly isLocal: boolean;
}

/** Finds server and token. @throws USAGE for a bad URL, UNAVAILABLE when nobody answers there. */
export async function accessServer(
  flags: ServerAccessFlags,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<ServerAccess> {
  const url = parseServerUrl(flags.server ?? DEFAULT_SERVER);
  const isLocal = await isThisMachine(new URL(url).hostname);
  const given = flags.token ?? environment["BTPUBLISHER_TOKEN"];
  const token = given ?? (isLocal ? await readLocalToken(url, signal) : undefined);
  return { api: new ApiClient({ url, token, signal }), isLocal };
}

/** What a publication is called on which server: `NAME`, or the address of its page. */
export function parsePublication(
  text: string,
  flags: ServerAccessFlags,
): { readonly name: string; readonly flags: ServerAccessFlags } {
  if (!/^https?:/i.test(text)) return { name: text, flags };
  const url = URL.parse(text);
  const name = /^\/p\/([^/]+?)(?:\.torrent|\.sha256|\.sha256\.minisig)?$/.exec(
    url?.pathname ?? "",
  )?.[1];
  if (url === null || name === undefined) {
    throw new BtPublisherError("USAGE", `${text} is not the address of a publication's page`);
  }
  return { name, flags: { ...flags, server: url.origin } };
}

/** What a set-up link says. @throws USAGE when it is none. */
export function parseSetupLink(text: string): { readonly url: string; readonly token: string } {
  const url = URL.parse(text);
  const token = /^#(btps_[\w-]{43})$/.exec(url?.hash ?? "")?.[1];
  if (url !== null && token !== undefined) return { url: parseServerUrl(url.origin), token };
  const message = "that is no set-up link: copy all of what the server printed, and quote it";
  throw new BtPublisherError("USAGE", message);
}

/** The base URL of a server. @throws USAGE for what is none. */
export function parseServerUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === "") return url.origin;
  const message = `${JSON.stringify(text)} is no server: write it as https://files.example`;
  throw new BtPublisherError("USAGE", message);
}

/**
 * The token of a server that runs here. It names its file only to its own machine; we read nothing
 * but a file of that name with a token in it, so that no impostor has us show another secret.
 */
async function readLocalToken(url: string, signal: AbortSignal): Promise<string | undefined> {
  const { tokenFile } = await new ApiClient({ url, token: undefined, signal }).json(
    "GET",
    "/api/v1/server",
  );
  if (typeof tokenFile !== "string" || basename(tokenFile) !== "publish.token") return undefined;
  const text = (await readFile(tokenFile, "latin1").catch(() => "")).trim();
  return /^btp_[\w-]{43}$/.test(text) ? text : undefined;
}

/** Whether `hostname` leads to an address of this machine. What has no address is somebody else. */
async function isThisMachine(hostname: string): Promise<boolean> {
  const found = await lookup(hostname.replace(/^\[(.*)\]$/, "$1"), { all: true }).catch(() => []);
  const own = new Set(
    Object.values(networkInterfaces()).flatMap((each) =>
      (each ?? []).map(({ address }) => canonicalIp(address)),
    ),
  );
  return found.some(({ address }) => {
    const ip = parseIp(address);
    return (ip !== undefined && isLoopbackIp(ip)) || own.has(canonicalIp(address));
  });
}
