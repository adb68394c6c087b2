/**
 * TCP peers on loopback for tests of the transport: listeners, dials, and plain sockets that speak
 * as they like. Time limits run on a clock that the test moves. Call `endTcpPeers` after each test.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { createTcpTransport } from "../../src/adapters/node/tcp-transport.ts";
import { latin1Bytes } from "../../src/base/bytes.ts";
import type { InfoHash } from "../../src/base/units.ts";
import type {
  LinkCloseReason,
  PeerAddress,
  PeerLink,
  PeerListener,
} from "../../src/ports/peer-transport.ts";
import { encodeHandshake } from "../../src/protocol/wire/handshake.ts";
import type { Handshake } from "../../src/protocol/wire/message.ts";
import { LinkRecorder } from "./link-recorder.ts";
import { SteppedClock } from "./stepped-clock.ts";

/** A handshake whose peer id says `name`, for the torrent of 20 bytes `infoHash`. */
export function handshakeOf(name: string, infoHash = 1): Handshake {
  return {
    infoHash: new Uint8Array(20).fill(infoHash),
    peerId: latin1Bytes(name.padEnd(20, "-")),
    supportsFast: true,
    supportsExtended: true,
  };
}

/** What `dial` and plain clients send. */
export const ours = handshakeOf("ours");
/** What `startListener` answers. */
export const theirs = handshakeOf("theirs");

const cleanups: (() => unknown)[] = [];

/** Closes all that the last test opened. */
export async function endTcpPeers(): Promise<void> {
  for (const cleanup of cleanups.splice(0)) await cleanup();
}

/** A transport that listens and accepts what `accepts` says. */
export class TestListener {
  readonly clock = new SteppedClock();
  /** Handshakes that it was asked about. */
  readonly asked: (readonly [Handshake, PeerAddress])[] = [];
  readonly #links: PeerLink[] = [];
  readonly #accepts: boolean;
  #listener: PeerListener | undefined;
  #wake = (): void => {};

  private constructor(accepts: boolean) {
    this.#accepts = accepts;
  }

  static async start(
    options: {
      accepts?: boolean;
      maxHandshakesPerHost?: number;
      maxConnectionsPerNetwork?: number;
      host?: string | undefined;
      infoHashes?: (host: string) => Iterable<InfoHash>;
    } = {},
  ): Promise<TestListener> {
    const { accepts = true, maxHandshakesPerHost = 32, maxConnectionsPerNetwork = 100 } = options;
    const self = new TestListener(accepts);
    const transport = createTcpTransport({
      clock: self.clock,
      maxHandshakesPerHost,
      maxConnectionsPerNetwork,
    });
    const host = "host" in options ? options.host : "127.0.0.1";
    const { infoHashes } = options;
    const place = { host, port: 0, ...(infoHashes && { infoHashes }) };
    self.#listener = await transport.listen(place, (remote, from) => {
      self.asked.push([remote, from]);
      if (!self.#accepts) return { accept: false };
      return { accept: true, handshake: theirs, onLink: (link) => self.#handleLink(link) };
    });
    cleanups.push(() => self.close());
    return self;
  }

  get address(): PeerAddress {
    return { host: "127.0.0.1", port: (this.#listener as PeerListener).port };
  }

  /** The next link that was accepted. */
  async nextLink(): Promise<PeerLink> {
    while (this.#links.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#links.shift() as PeerLink;
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }

  #handleLink(link: PeerLink): void {
    cleanups.push(() => link.close("test over"));
    this.#links.push(link);
    this.#wake();
  }
}

/** What became of a dial. */
export type DialResult = { readonly link: PeerLink } | { readonly failure: LinkCloseReason };

/** Dials with a transport of its own. */
export function dial(address: PeerAddress, clock = new SteppedClock()): Promise<DialResult> {
  return new Promise((resolve) => {
    createTcpTransport({ clock }).connect(address, ours, {
      onLink: (link) => {
        cleanups.push(() => link.close("test over"));
        resolve({ link });
      },
      onFailure: (failure) => resolve({ failure }),
    });
  });
}

/** Dials, and fails the test when that fails. */
export async function dialLink(address: PeerAddress): Promise<PeerLink> {
  const result = await dial(address);
  assert.ok("link" in result, "the dial failed");
  return result.link;
}

/** Both ends of a fresh connection, started. */
export async function linkPair(): Promise<{ dialled: LinkRecorder; accepted: LinkRecorder }> {
  const listener = await TestListener.start();
  const [dialled, accepted] = await Promise.all([dialLink(listener.address), listener.nextLink()]);
  return { dialled: new LinkRecorder(dialled), accepted: new LinkRecorder(accepted) };
}

/** A plain socket, what it received, and its end. */
export interface RawClient {
  readonly socket: Socket;
  readonly received: Buffer[];
  readonly closed: Promise<void>;
}

/** A plain socket connected to `address`. */
export async function rawClient(address: PeerAddress): Promise<RawClient> {
  const socket = connect(address.port, address.host);
  const received: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => received.push(chunk));
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  cleanups.push(() => socket.destroy());
  await once(socket, "connect");
  return { socket, received, closed };
}

/** A plain socket that went through the handshake, and the link at the other end. */
export async function rawPeer(): Promise<{
  socket: Socket;
  peer: LinkRecorder;
  clock: SteppedClock;
}> {
  const listener = await TestListener.start();
  const { socket } = await rawClient(listener.address);
  socket.write(encodeHandshake(ours));
  return { socket, peer: new LinkRecorder(await listener.nextLink()), clock: listener.clock };
}

/** A server that treats each connection with `onSocket`. */
export async function rawServer(onSocket: (socket: Socket) => void): Promise<PeerAddress> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    cleanups.push(() => socket.destroy());
    onSocket(socket);
  }).listen(0, "127.0.0.1");
  cleanups.push(() => server.close());
  await once(server, "listening");
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}
