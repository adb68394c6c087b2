/** By which names a server is reached, and from where a request came. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { hostname, networkInterfaces } from "node:os";
import { TLSSocket } from "node:tls";
import type { RequestOrigin } from "../../announcer/http/access.ts";
import {
  canonicalIp,
  formatIp,
  type IpNetwork,
  isLoopbackIp,
  parseIp,
} from "../../base/ip-address.ts";
import { type ClientAddress, clientAddress } from "../../protocol/http/client-address.ts";
import type { ServerSettings } from "../config.ts";

/**
 * The base URL for the world: `--public-url`; else made of the address that is listened on, and
 * when that is every address, of this machine's first one that others can reach.
 */
export function publicUrlOf(settings: ServerSettings, port: number): string {
  if (settings.publicUrl !== undefined) return settings.publicUrl;
  const { host } = settings;
  const isWildcard = host === undefined || host === "0.0.0.0" || host === "::";
  return urlOf(settings, isWildcard ? (firstReachable() ?? "127.0.0.1") : host, port);
}

/** Where programs on this machine reach the server. */
export function localUrlOf(settings: ServerSettings, port: number): string {
  const { host } = settings;
  const isWildcard = host === undefined || host === "0.0.0.0" || host === "::";
  return urlOf(settings, isWildcard ? "127.0.0.1" : host, port);
}

/** Whether only this machine reaches the server. */
export function isLoopbackOnly({ host }: ServerSettings): boolean {
  if (host === "localhost") return true;
  const ip = host === undefined ? undefined : parseIp(host);
  return ip !== undefined && isLoopbackIp(ip);
}

/**
 * Whether a Host header names this server. Addresses always do: a hostile page can only make a
 * name of its own point to us (DNS rebinding), never an address.
 */
export function knownHosts(publicUrl: string): (host: string) => boolean {
  const own = hostname().toLowerCase();
  const names = new Set(["localhost", own, `${own}.local`, new URL(publicUrl).hostname]);
  return (header) => {
    const name = header.toLowerCase().replace(/:\d*$/, "");
    return names.has(name) || parseIp(name.replace(/^\[(.*)\]$/, "$1")) !== undefined;
  };
}

/**
 * Tells where a request came from. A proxy on this machine shows itself by its headers; what comes
 * through one is never local, and private only when we trust it and it says that it was HTTPS.
 */
export function originReader(
  settings: ServerSettings,
): (request: IncomingMessage) => RequestOrigin {
  return (request) => {
    const { headers, socket } = request;
    const client = clientOf(request, settings.trustedProxies);
    const isProxied = ["x-forwarded-for", "forwarded", "via"].some((name) => name in headers);
    // Nobody else can open a connection that begins and ends at one address of ours.
    const isSelf = socket.remoteAddress === socket.localAddress;
    const isOwn = client !== undefined && (isLoopbackIp(client.address) || isSelf);
    const isLocal = isOwn && !isProxied;
    const isSecureProxy = client?.isForwarded === true && headers["x-forwarded-proto"] === "https";
    const address = client === undefined ? undefined : formatIp(client.address);
    const isEncrypted = socket instanceof TLSSocket || isSecureProxy;
    return { address, isLocal, isEncrypted, isPrivate: isLocal || isEncrypted };
  };
}

/** Whose request it is; undefined when nobody can tell. */
export function clientOf(
  { headers, socket }: IncomingMessage,
  trustedProxies: readonly IpNetwork[],
): ClientAddress | undefined {
  return clientAddress(socket.remoteAddress, forwardedForOf(headers), trustedProxies);
}

/** The header X-Forwarded-For. */
export function forwardedForOf(headers: IncomingHttpHeaders): string | undefined {
  return headers["x-forwarded-for"]?.toString();
}

function urlOf({ tls }: ServerSettings, host: string, port: number): string {
  const scheme = tls === undefined ? "http" : "https";
  const authority = host.includes(":") ? `[${host}]` : host;
  return new URL(`${scheme}://${authority}:${port}`).origin;
}

function firstReachable(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const isLinkLocal = (address: string) => /^(169\.254\.|fe80:)/i.test(address);
  const outer = addresses.filter(({ internal, address }) => !internal && !isLinkLocal(address));
  const best = outer.find(({ family }) => family === "IPv4") ?? outer[0];
  return canonicalIp(best?.address);
}
