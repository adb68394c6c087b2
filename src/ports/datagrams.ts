/** UDP as a client: questions to one host and its answers. */

/** Receives what comes. Nothing is called after `close`. */
export interface DatagramSink {
  /** The host is known: datagrams may be sent. */
  onOpen(): void;
  /** From that host and port only; `datagram` is valid during the call. */
  onDatagram(datagram: Uint8Array): void;
  /** The name is unknown, or nobody listens there; `message` is for people. Nothing follows. */
  onError(message: string): void;
}

/** An open way to one host and port. */
export interface DatagramExchange {
  /** Bytes of the host's address, known once open: what family it is of. */
  readonly addressLength: 4 | 16;
  /** Fire and forget. */
  send(datagram: Uint8Array): void;
  /** Idempotent. */
  close(): void;
}

/** Where ways are opened. */
export interface DatagramPort {
  /** Opens a way to `host` (a name or an IP address without brackets) and `port`. */
  open(host: string, port: number, sink: DatagramSink): DatagramExchange;
}
