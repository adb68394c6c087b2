/** WebSockets as a client, by `ws`, which is not loaded before one is opened: few ever are. */
import type { WebSocket } from "ws";
import type { WebSocketExchange, WebSocketPort, WebSocketSink } from "../../ports/web-sockets.ts";

/** WebSockets of this machine. */
export function createWebSocketPort(): WebSocketPort {
  return { open: (url, maxBytes, sink) => new NodeWebSocket(url, maxBytes, sink) };
}

class NodeWebSocket implements WebSocketExchange {
  readonly #sink: WebSocketSink;
  #socket: WebSocket | undefined;
  #isClosed = false;

  constructor(url: string, maxBytes: number, sink: WebSocketSink) {
    this.#sink = sink;
    void this.#open(url, maxBytes);
  }

  send(text: string): void {
    this.#socket?.send(text);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.terminate();
  }

  async #open(url: string, maxPayload: number): Promise<void> {
    const { WebSocket } = await import("ws");
    if (this.#isClosed) return;
    try {
      this.#socket = new WebSocket(url, { maxPayload, perMessageDeflate: false });
    } catch {
      return this.#fail("its URL cannot be used");
    }
    const socket = this.#socket;
    socket.on("open", () => {
      if (!this.#isClosed) this.#sink.onOpen();
    });
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      if (!this.#isClosed && !isBinary) this.#sink.onText(data.toString());
    });
    socket.on("error", (error) => this.#fail(error.message));
    socket.on("close", () => this.#fail("it closed the connection"));
  }

  #fail(message: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#sink.onError(message);
  }
}
