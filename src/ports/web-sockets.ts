/** WebSockets as a client: text messages to one URL and what comes back. */

/** Receives what comes. Nothing is called after `close`. */
export interface WebSocketSink {
  /** Messages may be sent. */
  onOpen(): void;
  onText(text: string): void;
  /** It could not be opened, or it ended; `message` is for people. Nothing follows. */
  onError(message: string): void;
}

/** An open WebSocket, or one that is being opened. */
export interface WebSocketExchange {
  /** Once open. */
  send(text: string): void;
  /** Idempotent. */
  close(): void;
}

/** Where WebSockets are opened. */
export interface WebSocketPort {
  /** Opens `url` (ws or wss), whose messages may have at most `maxBytes`. */
  open(url: string, maxBytes: number, sink: WebSocketSink): WebSocketExchange;
}
