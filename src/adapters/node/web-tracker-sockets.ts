/**
 * The WebSocket side of a tracker's HTTP port, at `/announce[/KEY]`: upgrades, frames within bounds,
 * heartbeats; what the messages mean is a door's business. No compression, so no bombs (WS-05); who
 * does not read what it is sent, or does not answer pings, is cut.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { canonicalIp, type IpBytes, type IpNetwork, parseIp } from "../../base/ip-address.ts";
import { clientAddress } from "../../protocol/http/client-address.ts";
import { isKey } from "../../protocol/tracker/key.ts";
import {
  WebTrackerConnection,
  type WebTrackerLink,
  type WebTrackerSession,
} from "./web-tracker-connection.ts";
import { acceptUpgrade, refuseUpgrade } from "./websocket-upgrade.ts";

/** Who is at the other end. */
export interface WebTrackerAsker {
  readonly address: IpBytes;
  /** The address of ours that it reached; undefined behind a proxy. */
  readonly reachedAt: IpBytes | undefined;
  readonly key: string | undefined;
}

/** How to open them. */
export interface WebTrackerSocketsOptions {
  readonly open: (link: WebTrackerLink, asker: WebTrackerAsker) => WebTrackerSession;
  readonly trustedProxies: readonly IpNetwork[];
  /** Origins whose pages may connect; undefined: all of them, and programs without one always. */
  readonly origins?: readonly string[] | undefined;
  /** How often a sign of life is asked for; default 30 s. Who gave none since the last time is cut. */
  readonly heartbeatMs?: number;
}

const HEARTBEAT_MS = 30_000;

export class WebTrackerSockets {
  readonly #options: WebTrackerSocketsOptions;
  readonly #connections = new Set<WebTrackerConnection>();
  readonly #heart: NodeJS.Timeout;

  constructor(options: WebTrackerSocketsOptions) {
    this.#options = options;
    const { heartbeatMs = HEARTBEAT_MS } = options;
    this.#heart = setInterval(() => this.#beat(), heartbeatMs).unref();
  }

  /** @returns false, having done nothing, when the request is for another path. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const path = /^\/announce(?:\/([^?]+))?(?:\?|$)/.exec(request.url ?? "");
    if (path === null) return false;
    const [, key] = path;
    const { headers } = request;
    const { origins, trustedProxies } = this.#options;
    const forwardedFor = headers["x-forwarded-for"];
    const header = Array.isArray(forwardedFor) ? forwardedFor.join(",") : forwardedFor;
    const client = clientAddress(request.socket.remoteAddress, header, trustedProxies);
    const isForeign = headers.origin !== undefined && origins?.includes(headers.origin) === false;
    if (client === undefined) refuseUpgrade(socket, 400);
    else if (isForeign || (key !== undefined && !isKey(key))) refuseUpgrade(socket, 403);
    else if (acceptUpgrade(request, socket)) {
      const { address, isForwarded } = client;
      const { localAddress } = request.socket;
      const reachedAt = isForwarded ? undefined : parseIp(canonicalIp(localAddress) ?? "");
      this.#serve(socket, head, { address, reachedAt, key });
    }
    return true;
  }

  /** Ends all connections. */
  close(): void {
    clearInterval(this.#heart);
    for (const connection of this.#connections) connection.destroy();
  }

  #serve(socket: Duplex, head: Buffer, asker: WebTrackerAsker): void {
    const { open } = this.#options;
    const connection = new WebTrackerConnection(socket, (link) => open(link, asker));
    this.#connections.add(connection);
    socket.once("close", () => {
      this.#connections.delete(connection);
      connection.closed();
    });
    if (head.length > 0) connection.read(head);
  }

  #beat(): void {
    for (const connection of this.#connections) connection.beat();
  }
}
