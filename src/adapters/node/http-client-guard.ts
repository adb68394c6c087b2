/**
 * Where a redirect may lead. A stranger's server must not make us ask for something inside our own
 * network, nor give up encryption on the way.
 */
import { type LookupAddress, lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { networkHolds, parseIp, parseIpNetwork } from "../../base/ip-address.ts";

/** This machine, and networks that are not the public Internet (RFC 6890). */
const privateNetworks = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "::/127",
  "fc00::/7",
  "fe80::/10",
].flatMap((text) => parseIpNetwork(text) ?? []);

/** Whether `address` (an IP address in text, perhaps with a zone) is on a private network. */
export function isPrivateAddress(address: string): boolean {
  const bytes = parseIp(address.replace(/%.*$/, ""));
  return bytes !== undefined && privateNetworks.some((network) => networkHolds(network, bytes));
}

/** A request whose answer is a redirect. */
export interface RedirectSource {
  readonly url: URL;
  /** Whether the chain of redirects began on a private network. */
  readonly beganPrivately: boolean;
  readonly isPrivate: (address: string) => boolean;
}

/** The URL that `location` leads to, or why we do not go there. */
export function redirectTarget(source: RedirectSource, location: string): URL | string {
  const target = parseHttpUrl(location, source.url);
  if (target === undefined) return `it redirects to ${quote(location)}, which is no web address`;
  if (source.url.protocol === "https:" && target.protocol === "http:") {
    return "it redirects from https to http";
  }
  const host = target.hostname.replace(/^\[|\]$/g, "");
  if (!source.beganPrivately && isIP(host) !== 0 && source.isPrivate(host)) {
    return `it redirects to the private address ${host}`;
  }
  return target;
}

/** `text` as a URL that we request: http or https, without credentials. */
export function parseHttpUrl(text: string, base?: URL): URL | undefined {
  const url = URL.parse(text, base?.href);
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  return isHttp && url.username === "" && url.password === "" ? url : undefined;
}

/** Looks names up like Node does, but fails for one that has a private address. */
export function createPublicLookup(isPrivate: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, found: string | LookupAddress[], family?: number) => {
      if (error !== null) return callback(error, "");
      const addresses = typeof found === "string" ? [found] : found.map(({ address }) => address);
      const address = addresses.find(isPrivate);
      if (address === undefined) return callback(null, found, family);
      callback(new Error(`${hostname} has the private address ${address}`), "");
    });
  };
}

/** Text of a stranger, short and in one line. */
function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
