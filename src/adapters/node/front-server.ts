/**
 * The one HTTP port: a server that looks at the path alone and hands requests to the door they are
 * for. It bounds what every door would have to bound: headers, URLs, slow senders (T7).
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { assert } from "../../base/assert.ts";
import { BtPublisherError } from "../../base/errors.ts";
import { type AnnounceDoor, AnnounceEntrance } from "./announce-entrance.ts";
import { guardBody } from "./body-guard.ts";
import { listenError } from "./listen-error.ts";
import { refuseUpgrade } from "./websocket-upgrade.ts";

/** A door. */
export interface FrontRoute {
  /** `/announce` stands for itself and for all that begins with `/announce/`. */
  readonly prefix: string;
  /** URLs may be as long as all headers together: scrapes name many torrents. */
  readonly takesLongUrls?: boolean;
  handle(request: IncomingMessage, response: ServerResponse): void;
}

/** Takes an upgrade; returns false, having done nothing, when it is not its own. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

/** Certificate chain and key, PEM. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** How to open a front server. */
export interface FrontServerOptions {
  /** Undefined: every address of this machine. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
  /** Then the server speaks HTTPS only. */
  readonly tls: TlsIdentity | undefined;
  readonly limits?: Partial<FrontLimits>;
}

/** What a client may take, in milliseconds. */
export interface FrontLimits {
  /** To send a whole request head: slower ones are attacks. Default 10 000 (T7). */
  readonly headTimeoutMs: number;
  /** Between two requests of a connection. Default 20 000: proxies reuse theirs, peers do not. */
  readonly keepAliveMs: number;
  /** How often a body must have advanced (see body-guard.ts). Default 60 000 (UPL-09). */
  readonly bodyWindowMs: number;
  /**
   * Connections of one address at a time; default 1000. More are closed at once (T7). Behind a proxy
   * all connections are the proxy's: then it must be as good as none.
   */
  readonly maxConnectionsPerAddress: number;
  /** For what is under way when the server closes. Default 3000. */
  readonly drainMs: number;
}

const defaultLimits: FrontLimits = {
  headTimeoutMs: 10_000,
  keepAliveMs: 20_000,
  bodyWindowMs: 60_000,
  maxConnectionsPerAddress: 1000,
  drainMs: 3000,
};

const MAX_HEAD_BYTES = 8 * 1024;
const MAX_URL_LENGTH = 4 * 1024;

const TLS_RULES = { minVersion: "TLSv1.2" } as const;

/** What the doors are known to take; TRACE and the like never get there. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** An open port whose doors may come later: until then it answers 503. */
export class FrontServer {
  /** The port really bound. */
  readonly port: number;
  readonly #server: Server;
  readonly #limits: FrontLimits;
  readonly #handOver: (socket: Socket) => void;
  #routes: readonly FrontRoute[] = [];
  #fallback: FrontRoute["handle"] | undefined;
  #upgrade: UpgradeHandler | undefined;
  #entrance: AnnounceEntrance | undefined;
  readonly #connectionsOf = new Map<string, number>();
  /** All connections, whoever has them now. */
  readonly #open = new Set<Socket>();

  private constructor(server: Server, limits: FrontLimits) {
    this.#server = server;
    this.#limits = limits;
    this.port = (server.address() as AddressInfo).port;
    server.on("request", (request, response) => this.#dispatch(request, response));
    // Whoever asks first whether to send a body is answered by the door, once it has decided.
    server.on("checkContinue", (request, response) => this.#dispatch(request, response));
    server.on("upgrade", (request, socket, head) => this.#takeUpgrade(request, socket, head));
    const isTls = server instanceof TlsServer;
    this.#handOver = intercept(server, isTls ? "secureConnection" : "connection", (socket) => {
      if (isTls || this.#admit(socket)) this.#accept(socket);
    });
    if (!isTls) return;
    // A handshake that is not done yet is a connection, too: it costs more than any other.
    const shakeHands = intercept(server, "connection", (socket) => {
      if (this.#admit(socket)) shakeHands(socket);
    });
  }

  /** Opens the port. @throws UNAVAILABLE when it is taken or not ours; CONFIG for bad TLS files. */
  static async open(options: FrontServerOptions): Promise<FrontServer> {
    const limits = { ...defaultLimits, ...options.limits };
    const server = createPlainOrTls(options, limits);
    const { host, port } = options;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) =>
        reject(listenError(cause, { whom: "HTTP", host, port, portOption: "--http-port" })),
      );
      server.listen({ host, port }, resolve);
    });
    return new FrontServer(server, limits);
  }

  /**
   * Opens the doors; `fallback` takes what is for none of `routes`. With `announces`, plain announces
   * go there, read without an HTTP server's help.
   */
  serve(doors: {
    readonly announces?: AnnounceDoor | undefined;
    readonly routes: readonly FrontRoute[];
    readonly fallback: FrontRoute["handle"] | undefined;
    readonly upgrade: UpgradeHandler | undefined;
  }): void {
    this.#routes = doors.routes;
    this.#fallback = doors.fallback;
    this.#upgrade = doors.upgrade;
    if (doors.announces !== undefined) {
      this.#entrance = new AnnounceEntrance(doors.announces, this.#limits, this.#handOver);
    }
  }

  /** The doors that are open, by their prefixes. */
  get prefixes(): readonly string[] {
    return this.#routes.map(({ prefix }) => prefix);
  }

  /**
   * From the next connection on another certificate, for a server that speaks HTTPS already.
   * @throws CONFIG when it cannot be used: then the one before stays.
   */
  useTls(identity: TlsIdentity): void {
    assert(this.#server instanceof TlsServer, "plain HTTP has no certificate");
    try {
      this.#server.setSecureContext({ ...identity, ...TLS_RULES });
    } catch (cause) {
      throw badTls(cause);
    }
  }

  /** Accepts no more; what is under way has a moment to end, then it is cut. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    this.#entrance?.close();
    const timer = setTimeout(() => {
      for (const socket of this.#open) socket.destroy();
    }, this.#limits.drainMs);
    await closed;
    clearTimeout(timer);
  }

  #accept(socket: Socket): void {
    if (this.#entrance === undefined) this.#handOver(socket);
    else this.#entrance.accept(socket);
  }

  /** Counts a connection for as long as it lasts; false, and closed, when its address has too many. */
  #admit(socket: Socket): boolean {
    const { remoteAddress = "" } = socket;
    const count = (this.#connectionsOf.get(remoteAddress) ?? 0) + 1;
    if (count > this.#limits.maxConnectionsPerAddress) {
      socket.destroy();
      return false;
    }
    this.#connectionsOf.set(remoteAddress, count);
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      const left = (this.#connectionsOf.get(remoteAddress) ?? 1) - 1;
      if (left === 0) this.#connectionsOf.delete(remoteAddress);
      else this.#connectionsOf.set(remoteAddress, left);
    });
    return true;
  }

  #dispatch(request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url = "" } = request;
    if (!METHODS.has(method)) return refuse(response, 405);
    const isOdd = request.httpVersionMajor < 1 || !url.startsWith("/") || hasTwoHosts(request);
    if (isOdd) return refuse(response, 400);
    const path = pathOf(url);
    const route = this.#routes.find(
      ({ prefix }) => path === prefix || path.startsWith(`${prefix}/`),
    );
    if (url.length > MAX_URL_LENGTH && route?.takesLongUrls !== true) return refuse(response, 414);
    guardBody(request, response, this.#limits.bodyWindowMs);
    if (route !== undefined) route.handle(request, response);
    else if (this.#fallback !== undefined) this.#fallback(request, response);
    else refuse(response, this.#routes.length === 0 ? 503 : 404);
  }

  #takeUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A socket that fails after it was refused must not end the process.
    socket.on("error", () => socket.destroy());
    if (this.#upgrade?.(request, socket, head) !== true) refuseUpgrade(socket, 404);
  }
}

/**
 * Has `handle` take what `server` tells by `event`, in place of the server itself. @returns the
 * server's own way, for what is to go it.
 */
function intercept(
  server: Server,
  event: "connection" | "secureConnection",
  handle: (socket: Socket) => void,
): (socket: Socket) => void {
  const [own] = server.listeners(event) as [(socket: Socket) => void];
  server.removeListener(event, own);
  server.on(event, handle);
  return (socket) => own.call(server, socket);
}

function createPlainOrTls(options: FrontServerOptions, limits: FrontLimits): Server {
  const settings = {
    maxHeaderSize: MAX_HEAD_BYTES,
    headersTimeout: limits.headTimeoutMs,
    connectionsCheckingInterval: Math.ceil(limits.headTimeoutMs / 10),
    keepAliveTimeout: limits.keepAliveMs,
    // An upload takes as long as it takes: its body is guarded by its rate instead.
    requestTimeout: 0,
    noDelay: true,
  };
  if (options.tls === undefined) return createServer(settings);
  try {
    const handshakeTimeout = limits.headTimeoutMs;
    return createTlsServer({ ...settings, handshakeTimeout, ...options.tls, ...TLS_RULES });
  } catch (cause) {
    throw badTls(cause);
  }
}

function badTls(cause: unknown): BtPublisherError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `the TLS certificate or key cannot be used: ${why}`;
  return new BtPublisherError("CONFIG", message, { cause });
}

/** The URL up to its query. */
function pathOf(url: string): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}

/** Node keeps the first of two; another program on the way may keep the second (HTP-31). */
function hasTwoHosts(request: IncomingMessage): boolean {
  const names = request.rawHeaders.filter((_, index) => index % 2 === 0);
  return names.filter((name) => name.toLowerCase() === "host").length > 1;
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, {
    connection: "close",
    "content-type": "text/plain; charset=utf-8",
    ...(status === 405 && { allow: [...METHODS].join(", ") }),
  });
  response.end(`${STATUS_CODES[status]}\n`);
}
