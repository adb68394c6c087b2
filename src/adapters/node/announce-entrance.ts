/**
 * The fast way in for announces over HTTP: it reads them itself, straight from the connection, and
 * hands every connection that brings anything else over to the HTTP server behind it, with what came
 * so far. Slow senders and idle connections are cut (T7), and slow readers are not read from.
 */
import type { Socket } from "node:net";
import { type IpBytes, parseSocketIp } from "../../base/ip-address.ts";
import { latin1Bytes } from "../../base/bytes.ts";
import { PlainGet, readPlainGet } from "../../protocol/http/plain-get.ts";
import { flushAtEndOfTurn, type Flushable } from "./end-of-turn.ts";
import { isKey } from "../../protocol/tracker/key.ts";

/** An announce, where it lies. */
export interface RawAnnounce {
  readonly bytes: Uint8Array;
  /** The query: from here, */
  readonly start: number;
  /** up to here. */
  readonly end: number;
  readonly key: string | undefined;
}

/** Both ends of a connection. */
export interface ConnectionEnds {
  readonly address: IpBytes;
  readonly reachedAt: IpBytes | undefined;
}

/** What answers announces: the whole answer, head and all. `isLast`: the connection closes then. */
export interface AnnounceDoor {
  answer(announce: RawAnnounce, ends: ConnectionEnds, isLast: boolean): Uint8Array;
  /** Whether connections from there are somebody else's words: a proxy's. */
  isProxy(address: IpBytes): boolean;
}

/** What a client may take, in milliseconds. */
export interface EntranceLimits {
  readonly headTimeoutMs: number;
  readonly keepAliveMs: number;
}

const prefix = latin1Bytes("GET /announce");
const PATH_LENGTH = "/announce".length;
/** An answer waits for its reader; with more than this waiting, no further request is read. */
const MAX_WAITING = 64 * 1024;

export class AnnounceEntrance {
  readonly #door: AnnounceDoor;
  readonly #limits: EntranceLimits;
  /** Takes a connection over, with what it brought put back. */
  readonly #handOver: (socket: Socket) => void;
  readonly #connections = new Set<Connection>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(door: AnnounceDoor, limits: EntranceLimits, handOver: (socket: Socket) => void) {
    this.#door = door;
    this.#limits = limits;
    this.#handOver = handOver;
    this.#sweeper = setInterval(() => this.#sweep(), Math.ceil(limits.headTimeoutMs / 10)).unref();
  }

  /** Takes in a new connection. */
  accept(socket: Socket): void {
    const address = parseSocketIp(socket.remoteAddress);
    // It is gone already.
    if (address === undefined) return void socket.destroy();
    if (this.#door.isProxy(address)) return this.#handOver(socket);
    const connection = new Connection(socket, address, this.#door);
    this.#connections.add(connection);
    const forget = (): void => void this.#connections.delete(connection);
    socket.once("close", forget);
    connection.onOther = (rest) => {
      // Else the socket would hold on to it.
      socket.off("close", forget);
      forget();
      // Paused, so that nothing comes before it is in new hands.
      socket.pause();
      this.#handOver(socket);
      if (rest.length > 0) socket.unshift(rest);
      socket.resume();
    };
  }

  /** Closes what waits for a request, now; the others once they are answered. */
  close(): void {
    clearInterval(this.#sweeper);
    for (const connection of this.#connections) {
      connection.flush();
      connection.socket.destroySoon();
    }
  }

  #sweep(): void {
    const now = performance.now();
    const { headTimeoutMs, keepAliveMs } = this.#limits;
    for (const { socket, since, isIdle } of this.#connections) {
      if (now - since > (isIdle ? keepAliveMs : headTimeoutMs)) socket.destroy();
    }
  }
}

/** Asks for our own address when somebody wants it: that is a call of the system. */
class Ends implements ConnectionEnds {
  readonly address: IpBytes;
  readonly #socket: Socket;

  constructor(socket: Socket, address: IpBytes) {
    this.#socket = socket;
    this.address = address;
  }

  get reachedAt(): IpBytes | undefined {
    return parseSocketIp(this.#socket.localAddress);
  }
}

// One for all connections: nothing here waits between reading a request and answering it.
const request = new PlainGet();

class Connection implements Flushable {
  readonly socket: Socket;
  /** When it last began to wait for something. */
  since = performance.now();
  /** It waits for another request, not for the rest of one. */
  isIdle = false;
  onOther: (rest: Buffer) => void = () => undefined;
  readonly #ends: ConnectionEnds;
  readonly #door: AnnounceDoor;
  #rest: Buffer | undefined;
  /** Answers that wait for the end of the turn. */
  #held: Uint8Array[] = [];
  readonly #onData = (bytes: Buffer): void => this.#read(bytes);
  readonly #onError = (): void => void this.socket.destroy();
  readonly #onEnd = (): void => {
    this.flush();
    if (!this.socket.writableEnded) this.socket.end();
  };
  readonly #onDrain = (): void => void this.socket.resume();

  constructor(socket: Socket, address: IpBytes, door: AnnounceDoor) {
    this.socket = socket;
    this.#door = door;
    this.#ends = new Ends(socket, address);
    socket.on("data", this.#onData);
    socket.on("error", this.#onError);
    socket.on("end", this.#onEnd);
    socket.on("drain", this.#onDrain);
  }

  #read(more: Buffer): void {
    const bytes = this.#rest === undefined ? more : Buffer.concat([this.#rest, more]);
    this.#rest = undefined;
    let at = 0;
    while (at < bytes.length) {
      const verdict = readPlainGet(bytes, at, prefix, request);
      if (verdict === "unfinished") {
        // A head begins once: what trickles in does not make it younger.
        if (this.isIdle || at > 0) this.since = performance.now();
        this.isIdle = false;
        this.#rest = bytes.subarray(at);
        return;
      }
      const key = verdict === "read" ? keyOf(bytes) : undefined;
      if (verdict === "other" || key === NO_ROUTE) return this.#leave(bytes.subarray(at));
      const { queryStart: start, queryEnd: end, isLast } = request;
      at = request.end;
      const answer = this.#door.answer({ bytes, start, end, key }, this.#ends, isLast);
      if (isLast) return this.#finish(answer, at === bytes.length);
      this.#write(answer);
    }
    this.since = performance.now();
    this.isIdle = true;
  }

  /** Sends what was answered in this turn of the event loop. */
  flush(): void {
    const [answer, ...more] = this.#held;
    if (answer === undefined) return;
    this.#held = [];
    this.socket.write(more.length === 0 ? answer : Buffer.concat([answer, ...more]));
    if (this.socket.writableLength > MAX_WAITING) this.socket.pause();
  }

  #write(answer: Uint8Array): void {
    if (this.#held.push(answer) === 1) flushAtEndOfTurn(this);
  }

  /**
   * Closes after the last answer. Mostly the system has it already and nothing came that was not read:
   * then the system says goodbye by itself, which saves two of its calls and a turn of the loop. (TLS
   * has a goodbye of its own to send.)
   */
  #finish(answer: Uint8Array, isAllRead: boolean): void {
    const { socket } = this;
    this.flush();
    socket.write(answer);
    const isSent = socket.writableLength === 0 && !("encrypted" in socket);
    if (isAllRead && isSent) socket.destroy();
    else socket.end();
  }

  #leave(rest: Buffer): void {
    const { socket } = this;
    this.flush();
    socket.off("data", this.#onData);
    socket.off("error", this.#onError);
    socket.off("end", this.#onEnd);
    socket.off("drain", this.#onDrain);
    this.onOther(rest);
  }
}

/** In no key. */
const NO_ROUTE = "/";

/** The key of the request that was read; `NO_ROUTE` when its path is not `/announce[/KEY]`. */
function keyOf(bytes: Buffer): string | undefined {
  const { pathStart, pathEnd } = request;
  const end = pathStart + PATH_LENGTH;
  if (pathEnd === end) return undefined;
  const key = bytes.toString("latin1", end + 1, pathEnd);
  return bytes[end] === 0x2f && isKey(key) ? key : NO_ROUTE;
}
