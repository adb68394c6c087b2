/**
 * The WebSocket side of a tracker's HTTP port, at `/announce[/KEY]`: upgrades, frames within bounds,
 * heartbeats; what the messages mean is a door's business. No compression, so no bombs (WS-05); who
 * does not read what it is sent, or does not answer pings, is cut.
 */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { IpBytes, IpNetwork } from "../../base/ip-address.ts";
import { clientAddress } from "../../protocol/http/client-address.ts";
import { isKey } from "../../protocol/tracker/key.ts";

/** A connection, as its door has it. */
export interface WebTrackerLink {
  send(text: string): void;
  close(code: number, reason: string): void;
}

/** What a door makes of a connection. */
export interface WebTrackerSession {
  handle(text: string): void;
  closed(): void;
}

/** How to open them. */
export interface WebTrackerSocketsOptions {
  readonly open: (
    link: WebTrackerLink,
    asker: { readonly address: IpBytes; readonly key: string | undefined },
  ) => WebTrackerSession;
  readonly trustedProxies: readonly IpNetwork[];
  /** Origins whose pages may connect; undefined: all of them, and programs without one always. */
  readonly origins?: readonly string[] | undefined;
  /** How often a sign of life is asked for; default 30 s. Who gave none since the last time is cut. */
  readonly heartbeatMs?: number;
}

const MAX_MESSAGE = 64 * 1024;
const MAX_FRAGMENTS = 64;
/** What a slow reader may leave unread: some dozen offers. */
const MAX_UNREAD = 256 * 1024;
const HEARTBEAT_MS = 30_000;
const UNSUPPORTED_DATA = 1003;

export class WebTrackerSockets {
  readonly #options: WebTrackerSocketsOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: 4 * MAX_FRAGMENTS,
    perMessageDeflate: false,
  });
  /** Whether each gave a sign of life since the last heartbeat. */
  readonly #sockets = new Map<WebSocket, boolean>();
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
    if (client === undefined) refuse(socket, 400);
    else if (isForeign || (key !== undefined && !isKey(key))) refuse(socket, 403);
    else {
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        this.#serve(webSocket, { address: client.address, key });
      });
    }
    return true;
  }

  /** Ends all connections. */
  close(): void {
    clearInterval(this.#heart);
    for (const socket of this.#sockets.keys()) socket.terminate();
  }

  #serve(
    socket: WebSocket,
    asker: { readonly address: IpBytes; readonly key: string | undefined },
  ): void {
    this.#sockets.set(socket, true);
    const session = this.#options.open(linkOf(socket), asker);
    socket.on("message", (data: Buffer, isBinary) => {
      this.#sockets.set(socket, true);
      if (isBinary) socket.close(UNSUPPORTED_DATA, "messages are text");
      else session.handle(data.toString());
    });
    socket.on("pong", () => this.#sockets.set(socket, true));
    // ws closes the connection with the code that fits.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      session.closed();
    });
  }

  #beat(): void {
    for (const [socket, isAlive] of this.#sockets) {
      if (!isAlive) socket.terminate();
      else {
        this.#sockets.set(socket, false);
        socket.ping();
      }
    }
  }
}

function linkOf(socket: WebSocket): WebTrackerLink {
  return {
    send: (text) => {
      if (socket.bufferedAmount > MAX_UNREAD) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.send(text);
    },
    close: (code, reason) => socket.close(code, reason),
  };
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
}
