/**
 * One TCP socket as the peer protocol wants it: raw reads without a buffer of their own where Node
 * allows it, one user at a time (the handshake, then the link), one reason when it ends.
 */
import { connect, type Socket } from "node:net";
import type { LinkCloseReason, PeerAddress } from "../../ports/peer-transport.ts";
import type { MseCiphers } from "../../protocol/encryption/mse-handshake.ts";

/** Who uses the socket at the moment. */
export interface SocketUser {
  /** `bytes` is only valid during the call. */
  handleBytes(bytes: Uint8Array): void;
  /** The socket ended, by itself: not called after `destroy`. */
  handleEnd(reason: LinkCloseReason): void;
}

/** After this long without traffic the system asks whether the other side is still there. */
const KEEP_ALIVE_DELAY_MS = 60_000;

const READ_BUFFER_LENGTH = 256 * 1024;

/** Socket options for both directions: small messages must not wait for Nagle's algorithm. */
export const socketOptions = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
} as const;

/**
 * The buffer that all dialled sockets read into. Sharing is safe: on POSIX systems libuv calls
 * read(2) and its callback in one go, so the bytes are consumed before another socket reads.
 * Windows fills a buffer before it tells so; there each socket has its own.
 */
const sharedReadBuffer =
  process.platform === "win32" ? undefined : new Uint8Array(READ_BUFFER_LENGTH);

/** A connected or connecting socket. */
export class PeerSocket {
  #socket: Socket;
  #user: SocketUser | undefined;
  #isConnected = false;
  #isEnded = false;
  #ciphers: MseCiphers | undefined;

  private constructor(open: (self: PeerSocket) => Socket) {
    const socket = open(this);
    this.#socket = socket;
    socket.on("end", () => this.#end({ code: "remote-closed" }));
    socket.on("close", () => this.#end({ code: "remote-closed" }));
    socket.on("error", (error) => this.#end(this.#reasonOf(error)));
  }

  /** Dials `address`; `onConnect` is called unless the socket ends before. */
  static dial(address: PeerAddress, onConnect: () => void): PeerSocket {
    return new PeerSocket((self) => {
      const socket = connect({
        ...socketOptions,
        host: address.host,
        port: address.port,
        // Peers are addresses; a name here would be a way to make us ask name servers.
        lookup: (host, _options, callback) => callback(new Error(`${host} is no address`), ""),
        onread: {
          buffer: sharedReadBuffer ?? new Uint8Array(READ_BUFFER_LENGTH),
          callback: (length, buffer) => {
            self.#handleBytes(buffer.subarray(0, length));
            return true;
          },
        },
      });
      return socket.once("connect", () => {
        self.#isConnected = true;
        onConnect();
      });
    });
  }

  /**
   * Wraps a socket that a server accepted, made with `socketOptions`. Node has no public way to
   * give such a socket a read buffer, so its reads are chunks that Node allocates. They are passed
   * on as plain arrays: the core may use `slice`, which copies, except on a Buffer.
   */
  static accept(socket: Socket): PeerSocket {
    return new PeerSocket((self) => {
      self.#isConnected = true;
      return socket.on("data", ({ buffer, byteOffset, length }: Buffer) =>
        self.#handleBytes(new Uint8Array(buffer, byteOffset, length)),
      );
    });
  }

  /** From now on `user` hears everything. */
  use(user: SocketUser): void {
    this.#user = user;
  }

  /** From now on all is encrypted, in both directions. Call from within `handleBytes`, once. */
  encrypt(ciphers: MseCiphers): void {
    this.#ciphers = ciphers;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /**
   * Hands `bytes` to the system; `onWritten` is called later, once it has taken them all, and not
   * at all when the socket ends before. `bytes` must not change until then.
   */
  write(bytes: Uint8Array, onWritten?: () => void): void {
    // Not in place: some messages are constants.
    const encrypted = this.#ciphers?.outgoing.apply(bytes, new Uint8Array(bytes.length));
    this.#socket.write(encrypted ?? bytes, (error) => {
      if (!error && !this.#isEnded) onWritten?.();
    });
  }

  /** Ends the socket at once; its user hears nothing more. */
  destroy(): void {
    this.#isEnded = true;
    this.#socket.destroy();
  }

  #handleBytes(bytes: Uint8Array): void {
    this.#ciphers?.incoming.apply(bytes);
    this.#user?.handleBytes(bytes);
  }

  #end(reason: LinkCloseReason): void {
    if (this.#isEnded) return;
    this.destroy();
    this.#user?.handleEnd(reason);
  }

  #reasonOf(error: NodeJS.ErrnoException): LinkCloseReason {
    if (!this.#isConnected) return { code: "connect-failed", message: error.message };
    if (error.code === "ECONNRESET" || error.code === "EPIPE") return { code: "remote-closed" };
    return { code: "network-error", message: error.message };
  }
}
