/**
 * The `HttpClient` port over node:http and node:https, with connections kept alive; plain ranges
 * have a cheaper way of their own.
 */
import type { Clock } from "../../ports/clock.ts";
import type { HttpClient } from "../../ports/http-client.ts";
import { AgentPair } from "./http-client-agents.ts";
import { Exchange, type ExchangeContext } from "./http-client-exchange.ts";
import { RangeClient } from "./http-client-ranges.ts";
import { createPublicLookup, isPrivateAddress } from "./http-client-guard.ts";

/** Settings of a client. */
export interface HttpClientOptions {
  readonly clock: Clock;
  /**
   * Where redirects from elsewhere may not lead: `address` is an IP address. Default: this machine
   * and private networks.
   */
  readonly isPrivate?: (address: string) => boolean;
}

/** Connections that are kept idle for each host; those in use are the callers' business. */
const agentOptions = { keepAlive: true, maxFreeSockets: 4 };

/** A client for tracker announces, web seeds and .torrent downloads. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { clock, isPrivate = isPrivateAddress } = options;
  const lookup = createPublicLookup(isPrivate);
  const context: ExchangeContext = {
    clock,
    isPrivate,
    agents: new AgentPair(agentOptions),
    publicAgents: new AgentPair({ ...agentOptions, lookup }),
  };
  const ranges = new RangeClient(context);
  return {
    get(request, sink) {
      const range = ranges.get(request, sink);
      if (range !== undefined) return range;
      const exchange = new Exchange(context, request, sink);
      exchange.start();
      return exchange;
    },
  };
}
