/**
 * Light clients for bench/many-peers.ts, all in this process: they speak the peer protocol, ask for
 * blocks and drop what arrives. Orders and answers go over the channel to the parent.
 */
import { connect, type Socket } from "node:net";
import process from "node:process";
import { BLOCK_LENGTH } from "../src/base/units.ts";
import type { BlockRef } from "../src/protocol/metainfo/piece-geometry.ts";
import { WireDecoder } from "../src/protocol/wire/decoder.ts";
import { encodeMessage, encodeRequests } from "../src/protocol/wire/encoder.ts";
import { encodeHandshake, HANDSHAKE_LENGTH } from "../src/protocol/wire/handshake.ts";

/** What the parent asks for. */
export type Order =
  | {
      readonly type: "connect";
      readonly peers: number;
      readonly port: number;
      /** Latin-1. */
      readonly infoHash: string;
      readonly pieceCount: number;
      readonly pieceLength: number;
      /** Blocks that each asks for at once; 0: interested, and nothing more. */
      readonly pipeline: number;
    }
  /** Answered by the bytes that each client got so far. */
  | { readonly type: "count" }
  /** Ends all connections; answered when they are ended. */
  | { readonly type: "end" };

/** Answers, in the order of the orders; `connect` is answered once all are unchoked. */
export type Answer = { readonly bytes: readonly number[] };

type ConnectOrder = Extract<Order, { type: "connect" }>;

const readBuffer = new Uint8Array(256 * 1024);

class LightClient {
  readonly #order: ConnectOrder;
  readonly #socket: Socket;
  readonly #decoder: WireDecoder;
  readonly unchoked: Promise<void>;
  readonly closed: Promise<void>;
  bytes = 0;
  #handshakeRest = HANDSHAKE_LENGTH;
  #outstanding = 0;
  /** Where the next block to ask for is. */
  #piece: number;
  #begin = 0;

  constructor(order: ConnectOrder, id: number) {
    this.#order = order;
    // Everybody begins elsewhere, as peers that fetch the rarest pieces do.
    this.#piece = (id * 7919) % order.pieceCount;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.unchoked = promise;
    this.#decoder = new WireDecoder({
      handleMessage: ({ type }) => {
        if (type === "unchoke") resolve();
      },
      handleRequests: () => {},
      blockTarget: () => undefined,
      handleBlock: ({ length }) => {
        this.bytes += length;
        this.#outstanding--;
      },
    });
    this.#socket = connect({
      port: order.port,
      host: "127.0.0.1",
      noDelay: true,
      onread: { buffer: readBuffer, callback: (n) => this.#read(readBuffer.subarray(0, n)) },
    });
    this.closed = new Promise((done) => this.#socket.once("close", () => done()));
    this.#socket.on("error", (error) => process.stderr.write(`client ${id}: ${error.message}\n`));
    this.#socket.once("connect", () => this.#greet(id));
  }

  end(): void {
    this.#socket.destroy();
  }

  /** Begins to ask; call once unchoked. */
  ask(): void {
    const { pipeline, pieceCount, pieceLength } = this.#order;
    // Half of the pipeline at a time, as our own Peer does.
    if (this.#outstanding > pipeline / 2 || pipeline === 0) return;
    const blocks: BlockRef[] = [];
    for (; this.#outstanding < pipeline; this.#outstanding++) {
      blocks.push({ pieceIndex: this.#piece, begin: this.#begin, length: BLOCK_LENGTH });
      this.#begin += BLOCK_LENGTH;
      if (this.#begin < pieceLength) continue;
      this.#begin = 0;
      this.#piece = (this.#piece + 1) % pieceCount;
    }
    this.#socket.write(encodeRequests(blocks));
  }

  #greet(id: number): void {
    const { infoHash, pieceCount } = this.#order;
    const peerId = Buffer.from(`-XX0000-${String(id).padStart(12, "0")}`);
    const bytes = Buffer.from(infoHash, "latin1");
    const extensions = { supportsFast: true, supportsExtended: true };
    this.#socket.write(encodeHandshake({ infoHash: bytes, peerId, ...extensions }));
    // Half of the pieces, so that this one is neither new nor a seed.
    const pieces = new Uint8Array(Math.ceil(pieceCount / 8)).fill(0xaa);
    this.#socket.write(encodeMessage({ type: "bitfield", bytes: pieces }));
    this.#socket.write(encodeMessage({ type: "interested" }));
  }

  #read(bytes: Uint8Array): boolean {
    const skipped = Math.min(this.#handshakeRest, bytes.length);
    this.#handshakeRest -= skipped;
    this.#decoder.push(bytes.subarray(skipped));
    if (this.bytes > 0) this.ask();
    return true;
  }
}

let clients: LightClient[] = [];

async function carryOut(order: Order): Promise<void> {
  if (order.type === "connect") {
    // In turns: a source takes so many connections without a handshake from one address.
    for (let id = clients.length; id < order.peers; id++) {
      const client = new LightClient(order, id);
      clients.push(client);
      if (id % 16 === 15) await client.unchoked;
    }
    await Promise.all(clients.map(({ unchoked }) => unchoked));
    for (const client of clients) client.ask();
  } else if (order.type === "end") {
    for (const client of clients) client.end();
    await Promise.all(clients.map(({ closed }) => closed));
    clients = [];
  }
  const answer: Answer = { bytes: clients.map(({ bytes }) => bytes) };
  process.send?.(answer);
}

process.on("message", (order: Order) => void carryOut(order));
process.on("disconnect", () => process.exit(0));
