/** UDP as a client, by node:dgram: the kernel drops what others send us. */
import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns";
import type { DatagramExchange, DatagramPort, DatagramSink } from "../../ports/datagrams.ts";

/** Datagrams of this machine. */
export function createDatagramPort(): DatagramPort {
  return { open: (host, port, sink) => new NodeExchange(host, port, sink) };
}

class NodeExchange implements DatagramExchange {
  addressLength: 4 | 16 = 4;
  readonly #sink: DatagramSink;
  #socket: Socket | undefined;
  #isClosed = false;

  constructor(host: string, port: number, sink: DatagramSink) {
    this.#sink = sink;
    lookup(host, (error, address, family) => {
      if (this.#isClosed) return;
      if (error === null) this.#open(address, family === 6 ? 6 : 4, port);
      else this.#fail(`there is no host ${host}`);
    });
  }

  send(datagram: Uint8Array): void {
    this.#socket?.send(datagram);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket?.close();
    this.#socket = undefined;
  }

  #open(address: string, family: 4 | 6, port: number): void {
    this.addressLength = family === 4 ? 4 : 16;
    const socket = createSocket({ type: family === 4 ? "udp4" : "udp6" });
    this.#socket = socket;
    socket.on("error", (error) => this.#fail(error.message));
    socket.on("message", (datagram) => {
      if (!this.#isClosed) this.#sink.onDatagram(datagram);
    });
    socket.connect(port, address, () => {
      if (!this.#isClosed) this.#sink.onOpen();
    });
  }

  #fail(message: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#sink.onError(message);
  }
}
