/**
 * Whose request it is: the address of the connection, or, when a proxy that we trust made it, the
 * one that this proxy vouches for in X-Forwarded-For. Everybody else may write there what he likes.
 */
import { fail, ok, type Result } from "../../base/errors.ts";
import {
  canonicalIp,
  type IpBytes,
  type IpNetwork,
  networkHolds,
  parseIp,
  parseIpNetwork,
} from "../../base/ip-address.ts";

export interface ClientAddress {
  readonly address: IpBytes;
  /** A trusted proxy stands between: the connection's own addresses say nothing of the client. */
  readonly isForwarded: boolean;
}

/**
 * The client of a request on a connection from `socketAddress` with X-Forwarded-For `header`: the
 * rightmost address that is not a trusted proxy's. Undefined, to be answered with 400, when a
 * trusted proxy wrote what is no address (with a port, in brackets, a name), or the connection is
 * gone.
 */
export function clientAddress(
  socketAddress: string | undefined,
  header: string | undefined,
  trustedProxies: readonly IpNetwork[],
): ClientAddress | undefined {
  const isTrusted = (ip: IpBytes) => trustedProxies.some((network) => networkHolds(network, ip));
  const socketText = canonicalIp(socketAddress);
  if (socketText === undefined) return undefined;
  let address = parseIp(socketText) as IpBytes;
  if (!isTrusted(address) || header === undefined || header.trim() === "") {
    return { address, isForwarded: false };
  }
  // From the right, where the nearest proxy appends; what is left of the client is its own claim.
  for (let end = header.length; end >= 0 && isTrusted(address); ) {
    const begin = header.lastIndexOf(",", end - 1);
    const claimed = parseIp(header.slice(begin + 1, end).trim());
    if (claimed === undefined) return undefined;
    address = claimed;
    end = begin;
  }
  return { address, isForwarded: true };
}

/**
 * The networks of trusted proxies, from settings (CIDR, or single addresses). CONFIG for what is no
 * network, and for everybody (prefix length 0), which would let anybody be anyone (CFG-13).
 */
export function parseTrustedProxies(texts: readonly string[]): Result<readonly IpNetwork[]> {
  const networks: IpNetwork[] = [];
  for (const text of texts) {
    const network = parseIpNetwork(text);
    if (network === undefined) {
      return fail("CONFIG", `trusted proxy ${JSON.stringify(text)}: write it as 10.0.0.0/8`);
    }
    if (network.prefixLength === 0) {
      return fail("CONFIG", `trusted proxy ${text} is everybody: name your proxy's own addresses`);
    }
    networks.push(network);
  }
  return ok(networks);
}
