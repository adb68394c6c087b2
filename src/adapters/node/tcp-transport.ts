/** Peer connections over TCP (BEP 3): the adapter behind the `PeerTransport` port. */
import { createServer, type AddressInfo, type Server } from "node:net";
import type { Millis } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  ListenOptions,
  PeerAddress,
  PeerListener,
  PeerTransport,
} from "../../ports/peer-transport.ts";
import type { Handshake } from "../../protocol/wire/message.ts";
import { type ListenAttempt, listenError } from "./listen-error.ts";
import { MseTorrents } from "./mse-torrents.ts";
import { SendBufferPool } from "./tcp-link-buffers.ts";
import { LoopNaps } from "./tcp-link-naps.ts";
import { LoopTurns } from "./tcp-link-turns.ts";
import { socketOptions } from "./tcp-link-socket.ts";
import { dial, type DialCallbacks, type DialContext } from "./tcp-transport-dial.ts";
import { Entrance, type EntranceContext, type OnHandshake } from "./tcp-transport-entrance.ts";

/** Time and other limits of a transport. */
export interface TcpTransportOptions {
  readonly clock: Clock;
  /** For a connection to be accepted. Default 15 000: room for a few lost SYNs. */
  readonly connectTimeoutMs?: Millis;
  /** For the other side's whole handshake. Default 10 000. */
  readonly handshakeTimeoutMs?: Millis;
  /** For any progress of what is to be sent. Default 60 000. */
  readonly sendTimeoutMs?: Millis;
  /** Incoming connections of one address without a complete handshake. Default 32. */
  readonly maxHandshakesPerHost?: number;
  /** Accepted connections of one IPv4 address or IPv6 /64. Default: no limit. */
  readonly maxConnectionsPerNetwork?: number;
  /**
   * The whole event loop may sleep between small reads: see tcp-link-naps.ts. Default: false, since
   * whatever else the process does must wait meanwhile.
   */
  readonly sleeps?: boolean;
  /** The option of the command line that chooses the port to listen on, for the words of errors. */
  readonly portOption?: string;
}

/** Peers over TCP. */
export function createTcpTransport(options: TcpTransportOptions): PeerTransport {
  return new TcpTransport({
    connectTimeoutMs: 15_000,
    handshakeTimeoutMs: 10_000,
    sendTimeoutMs: 60_000,
    maxHandshakesPerHost: 32,
    maxConnectionsPerNetwork: Number.POSITIVE_INFINITY,
    ...options,
    encryptedPeers: new Set(),
    buffers: new SendBufferPool(),
    turns: new LoopTurns(),
    naps: options.sleeps ? new LoopNaps(options.clock) : undefined,
    portOption: options.portOption,
  });
}

type TransportContext = DialContext & EntranceContext & { readonly portOption: string | undefined };

class TcpTransport implements PeerTransport {
  readonly #context: TransportContext;

  constructor(context: TransportContext) {
    this.#context = context;
  }

  async listen(options: ListenOptions, onHandshake: OnHandshake): Promise<PeerListener> {
    const { infoHashes } = options;
    const encrypted = infoHashes === undefined ? undefined : new MseTorrents(infoHashes);
    const entrance = new Entrance(this.#context, onHandshake, encrypted);
    const server = createServer(socketOptions, (socket) => entrance.admit(socket));
    const { portOption } = this.#context;
    const port = await startListening(server, { ...options, whom: "peers", portOption });
    return {
      port,
      close: async () => {
        // Links live on, so this does not wait until the server has no connections.
        server.close();
        entrance.close();
      },
    };
  }

  connect(
    address: PeerAddress,
    handshake: Handshake,
    callbacks: DialCallbacks,
  ): { cancel(): void } {
    return dial(address, handshake, this.#context, callbacks);
  }
}

/** @returns the bound port. @throws BtPublisherError UNAVAILABLE. */
function startListening(server: Server, attempt: ListenAttempt): Promise<number> {
  const { host, port } = attempt;
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(listenError(cause, attempt)));
    server.listen(host === undefined ? { port } : { host, port }, () => {
      // From here on an error is an accept that failed, for example because there are too many
      // open files. That connection is lost; the listener goes on.
      server.removeAllListeners("error").on("error", () => {});
      resolve((server.address() as AddressInfo).port);
    });
  });
}
