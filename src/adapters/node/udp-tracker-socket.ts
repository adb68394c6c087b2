/**
 * The UDP side of a tracker's port: one socket for each address family, their packets to a door and
 * its answers back. A packet that cannot be sent is lost, as packets are.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import { type IpBytes, parseIp, parseSocketIp, readIpv4 } from "../../base/ip-address.ts";
import { datagramSender, type SendDatagram } from "./datagram-sender.ts";
import { errnoOf } from "./disk-error.ts";
import { listenError } from "./listen-error.ts";
import { flushAtEndOfTurn, type Flushable } from "./end-of-turn.ts";

/** Who sent a packet; reused for the next one. */
export interface PacketSender {
  readonly address: IpBytes;
  /** The address of ours that it reached, as far as that is known. */
  readonly reachedAt: IpBytes | undefined;
}

/** Where an answer goes that comes later; keep it as it is. */
export type ReturnAddress = Readonly<Pick<RemoteInfo, "address" | "port" | "family">>;

/** The answer to a packet; undefined: none now, perhaps one by `send`. */
export type AnswerPacket = (
  packet: Uint8Array,
  sender: PacketSender,
  from: ReturnAddress,
) => Uint8Array | undefined;

/** Where to listen. */
export interface UdpTrackerSocketOptions {
  /** Undefined: every address of this machine, of both families. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
  /**
   * Several sockets share the port, and the system gives each sender to one of them: on Linux, FreeBSD
   * and their like. Default: nobody shares it.
   */
  readonly isShared?: boolean;
  readonly answer: AnswerPacket;
  /** For logs: what the sockets complain of. */
  readonly onError: (error: Error) => void;
}

/** The kernel keeps this much while we are busy. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** An open port. */
export class UdpTrackerSocket {
  /** The port really bound. */
  readonly port: number;
  readonly #outboxes: readonly Outbox[];
  readonly #outboxOf: Readonly<Record<string, Outbox>>;
  #closedCount = 0;

  private constructor(outboxes: readonly Outbox[]) {
    this.#outboxes = outboxes;
    this.#outboxOf = Object.fromEntries(
      outboxes.map((each) => [each.socket.address().family, each]),
    );
    this.port = (outboxes[0] as Outbox).socket.address().port;
    for (const { socket } of outboxes) socket.once("close", () => this.#closedCount++);
  }

  /** Opens the port. @throws UNAVAILABLE when it is taken or not ours. */
  static async open(options: UdpTrackerSocketOptions): Promise<UdpTrackerSocket> {
    const { host, port } = options;
    if (host !== undefined) {
      return new UdpTrackerSocket([
        await bind(host.includes(":") ? "udp6" : "udp4", options, { host, port }),
      ]);
    }
    const ipv4 = await bind("udp4", options, { host: "0.0.0.0", port });
    const bound = ipv4.socket.address().port;
    const ipv6 = await bind("udp6", options, { host: "::", port: bound }).catch(
      (error: Error) => error,
    );
    if (ipv6 instanceof Outbox) return new UdpTrackerSocket([ipv4, ipv6]);
    // A machine without IPv6 has the other one only.
    if (errnoOf(ipv6.cause) !== "EADDRINUSE") return new UdpTrackerSocket([ipv4]);
    await ipv4.close();
    throw ipv6;
  }

  /** Whether packets are heard, of every address family that there was at the start. */
  get isOpen(): boolean {
    return this.#closedCount === 0;
  }

  /** Sends what answers an earlier packet. */
  send(packet: Uint8Array, { address, port, family }: ReturnAddress): void {
    this.#outboxOf[family]?.send(packet, port, address);
  }

  async close(): Promise<void> {
    for (const outbox of this.#outboxes) await outbox.close();
  }
}

async function bind(
  type: "udp4" | "udp6",
  { answer, onError, isShared = false }: UdpTrackerSocketOptions,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Outbox> {
  const socket = createSocket({
    type,
    ipv6Only: type === "udp6",
    reusePort: isShared,
    recvBufferSize: BUFFER_BYTES,
    sendBufferSize: BUFFER_BYTES,
    // Answers go to addresses, never to names: at once, instead of by way of the resolver.
    lookup: (address, _options, callback) => callback(null, address, type === "udp4" ? 4 : 6),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (cause) => {
      socket.close();
      reject(listenError(cause, { whom: "UDP", host, port, portOption: "--udp-port" }));
    });
    socket.bind({ address: host, port, exclusive: false }, resolve);
  });
  socket.removeAllListeners("error");
  socket.on("error", onError);
  const outbox = new Outbox(socket);
  socket.on("message", type === "udp4" ? receiver4(outbox, answer) : receiver6(outbox, answer));
  return outbox;
}

/** Answers of one socket, which go out at the end of the turn in which their packets came. */
class Outbox implements Flushable {
  readonly socket: Socket;
  readonly send: SendDatagram;
  readonly #packets: Uint8Array[] = [];
  readonly #to: ReturnAddress[] = [];
  #isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    this.send = datagramSender(socket);
  }

  put(packet: Uint8Array, to: ReturnAddress): void {
    if (this.#isClosed) return;
    if (this.#packets.push(packet) === 1) flushAtEndOfTurn(this);
    this.#to.push(to);
  }

  /** Resolves when the socket is closed; what waits is lost. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#clear();
    return new Promise((resolve) => this.socket.close(resolve));
  }

  #clear(): void {
    this.#packets.length = 0;
    this.#to.length = 0;
  }

  flush(): void {
    for (let i = 0; i < this.#packets.length; i++) {
      const { port, address } = this.#to[i] as ReturnAddress;
      this.send(this.#packets[i] as Uint8Array, port, address);
    }
    this.#clear();
  }
}

function receiver4(outbox: Outbox, answer: AnswerPacket) {
  const sender = { address: new Uint8Array(4), reachedAt: ownAddress(outbox.socket) };
  return (packet: Buffer, from: RemoteInfo): void => {
    if (from.port === 0 || !readIpv4(from.address, sender.address)) return;
    const reply = answer(packet, sender, from);
    if (reply !== undefined) outbox.put(reply, from);
  };
}

function receiver6(outbox: Outbox, answer: AnswerPacket) {
  const reachedAt = ownAddress(outbox.socket);
  return (packet: Buffer, from: RemoteInfo): void => {
    const address = parseSocketIp(from.address);
    if (from.port === 0 || address === undefined) return;
    const reply = answer(packet, { address, reachedAt }, from);
    if (reply !== undefined) outbox.put(reply, from);
  };
}

function ownAddress(socket: Socket): IpBytes | undefined {
  const { address, family } = socket.address();
  return reachedAddress(address, family);
}

/**
 * The address of ours that a packet to a socket bound to `address` reached. Packets do not tell: it is
 * the one bound to, else this machine's first one of that family.
 */
export function reachedAddress(address: string, family: string): IpBytes | undefined {
  if (address !== "0.0.0.0" && address !== "::") return parseIp(address);
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const isFit = (own: (typeof all)[number]) =>
    !own.internal && own.family === family && !/^(169\.254\.|fe80:)/i.test(own.address);
  return parseIp(all.find(isFit)?.address ?? "");
}
