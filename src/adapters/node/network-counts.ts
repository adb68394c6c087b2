/**
 * How many connections each network has open. One machine has one IPv4 address and a whole IPv6
 * /64, so these are what is counted.
 */
import { formatIp, parseIp } from "../../base/ip-address.ts";

const IPV6_NETWORK_BYTES = 8;

/** Counts, and refuses what is beyond the limit. */
export class NetworkCounts {
  readonly #limit: number;
  /** Open connections by network; those without any are not in it. */
  readonly #counts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts a connection with `host`. @returns what ends it, once; undefined when it is too many. */
  enter(host: string): (() => void) | undefined {
    const network = networkOf(host);
    const count = this.#counts.get(network) ?? 0;
    if (count >= this.#limit) return undefined;
    this.#counts.set(network, count + 1);
    return () => this.#leave(network);
  }

  #leave(network: string): void {
    const count = this.#counts.get(network) ?? 0;
    if (count > 1) this.#counts.set(network, count - 1);
    else this.#counts.delete(network);
  }
}

function networkOf(host: string): string {
  const bytes = parseIp(host);
  if (bytes === undefined || bytes.length === 4) return host;
  return formatIp(bytes.map((byte, i) => (i < IPV6_NETWORK_BYTES ? byte : 0)));
}
