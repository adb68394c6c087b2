/**
 * Incoming connections, until they are links: read the handshake, ask whether it is wanted, answer.
 *
 * Before its handshake is complete and wanted, a stranger costs one socket and 68 bytes (some 700 and
 * a key exchange when it is encrypted), for at most the time limit, and learns nothing.
 */
import type { Socket } from "node:net";
import { canonicalIp } from "../../base/ip-address.ts";
import type { Millis } from "../../base/units.ts";
import type { IncomingDecision, PeerAddress } from "../../ports/peer-transport.ts";
import { encodeHandshake } from "../../protocol/wire/handshake.ts";
import type { Handshake } from "../../protocol/wire/message.ts";
import { TcpLink } from "./tcp-link.ts";
import type { LinkContext } from "./tcp-link-sender.ts";
import { PeerSocket } from "./tcp-link-socket.ts";
import type { MseTorrents } from "./mse-torrents.ts";
import { NetworkCounts } from "./network-counts.ts";
import { readHandshake } from "./tcp-transport-handshake.ts";

/** What all entrances of a transport share. */
export interface EntranceContext extends LinkContext {
  readonly handshakeTimeoutMs: Millis;
  readonly maxHandshakesPerHost: number;
  readonly maxConnectionsPerNetwork: number;
}

/** Decides about a stranger by its handshake. */
export type OnHandshake = (remote: Handshake, address: PeerAddress) => IncomingDecision;

/** The connections of one listener that are not links yet. */
export class Entrance {
  readonly #context: EntranceContext;
  readonly #onHandshake: OnHandshake;
  readonly #encrypted: MseTorrents | undefined;
  /** Open handshakes, by host. */
  readonly #open = new Map<string, Set<{ cancel(): void }>>();

  /** Accepted sockets that have not ended, whatever became of them. */
  readonly #counts: NetworkCounts;

  /** `encrypted`: undefined takes plain handshakes only. */
  constructor(
    context: EntranceContext,
    onHandshake: OnHandshake,
    encrypted: MseTorrents | undefined,
  ) {
    this.#encrypted = encrypted;
    this.#context = context;
    this.#counts = new NetworkCounts(context.maxConnectionsPerNetwork);
    this.#onHandshake = onHandshake;
  }

  /** Takes a socket that the listener accepted. */
  admit(socket: Socket): void {
    const address = remoteAddressOf(socket);
    const open = this.#open.get(address?.host ?? "") ?? new Set();
    if (address === undefined || open.size >= this.#context.maxHandshakesPerHost) {
      socket.destroy();
      return;
    }
    const end = this.#counts.enter(address.host);
    if (end === undefined) {
      socket.destroy();
      return;
    }
    socket.once("close", end);
    const peerSocket = PeerSocket.accept(socket);
    const { clock, handshakeTimeoutMs } = this.#context;
    const leave = (): void => {
      open.delete(reading);
      if (open.size === 0) this.#open.delete(address.host);
    };
    const acceptEncrypted = () => this.#encrypted?.accept(address.host, clock.now());
    const options = { clock, timeoutMs: handshakeTimeoutMs, acceptEncrypted };
    const reading = readHandshake(peerSocket, options, {
      onFailure: leave,
      onHandshake: (remote, received) => {
        leave();
        this.#decide(peerSocket, address, remote, received);
      },
    });
    open.add(reading);
    this.#open.set(address.host, open);
  }

  /** Ends all handshakes that are under way. Links are not touched. */
  close(): void {
    for (const open of this.#open.values()) for (const reading of open) reading.cancel();
    this.#open.clear();
  }

  #decide(
    socket: PeerSocket,
    remoteAddress: PeerAddress,
    remote: Handshake,
    received: Uint8Array,
  ): void {
    const decision = this.#onHandshake(remote, remoteAddress);
    if (!decision.accept) {
      socket.destroy();
      return;
    }
    const facts = { remote, remoteAddress, direction: "incoming", received } as const;
    // At once, even when the link is closed right away: who hears nothing tries again, encrypted, and who
    // dialled himself does not find it out.
    socket.write(encodeHandshake(decision.handshake));
    decision.onLink(new TcpLink(socket, facts, this.#context));
  }
}

/** Where the other side is, or undefined when it is gone already. */
function remoteAddressOf(socket: Socket): PeerAddress | undefined {
  const host = canonicalIp(socket.remoteAddress);
  const port = socket.remotePort;
  return host === undefined || port === undefined ? undefined : { host, port };
}
