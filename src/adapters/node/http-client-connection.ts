/**
 * A connection to a web server that gets plain answers, one after the other, into one read buffer.
 * `node:http` gives each read memory of its own; collecting that costs more than all the rest of a
 * download (3.3 CPU-s/GiB, against 0.3 here).
 */
import { connect, isIP, type OnReadOpts, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { concatBytes } from "../../base/bytes.ts";
import { parseResponseHead, type ResponseHead } from "../../protocol/http/response-head.ts";

/** Hears one answer; one of `onEnd`, `onOdd` and `onFailure` is the last call. */
export interface AnswerHandler {
  /** Return false to end the connection: no further call follows. */
  onHead(head: ResponseHead): boolean;
  /** `bytes` are only valid during the call. */
  onData(bytes: Uint8Array): void;
  onEnd(): void;
  /** The answer, with `status` as far as it has one, is not to be read here; nothing was passed on. */
  onOdd(status: number | undefined): void;
  /** `wasSilent`: not a byte of the answer came. */
  onFailure(error: Error, wasSilent: boolean): void;
}

const READ_BUFFER_LENGTH = 256 * 1024;

/**
 * The buffer that all connections read into. Sharing is safe: on POSIX systems libuv calls read(2)
 * and its callback in one go. Windows fills a buffer before it tells so; there each has its own.
 */
const sharedReadBuffer =
  process.platform === "win32" ? undefined : new Uint8Array(READ_BUFFER_LENGTH);

const noBytes = new Uint8Array(0);

/** Give it one request at a time. */
export class HttpConnection {
  readonly #socket: Socket;
  #handler: AnswerHandler | undefined;
  /** The head as far as it came, until it is complete. */
  #headBytes = noBytes;
  #head: ResponseHead | undefined;
  #missingBytes = 0;
  #wasSilent = true;

  /** Connects to the host of `url`; `onClose` is called when the connection ends, for any reason. */
  constructor(url: URL, onClose: () => void) {
    this.#socket = openSocket(url, (bytes) => this.#handleBytes(bytes));
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("end", () => this.#fail(cut()));
    this.#socket.on("close", () => {
      this.#fail(cut());
      onClose();
    });
  }

  /** Whether it may be given another request, once it has answered. */
  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Sends `request`, a whole one without a body. */
  ask(request: string, handler: AnswerHandler): void {
    this.#handler = handler;
    this.#wasSilent = true;
    this.#socket.ref();
    this.#socket.write(request, "latin1");
  }

  /** Ends it; its handler hears nothing more. */
  destroy(): void {
    this.#handler = undefined;
    this.#socket.destroy();
  }

  #handleBytes(bytes: Uint8Array): void {
    // Nobody asked: the connection is of no more use.
    if (this.#handler === undefined) return this.destroy();
    this.#wasSilent = false;
    const body = this.#head === undefined ? this.#readHead(bytes) : bytes;
    if (body === undefined) return;
    // More than was announced: who knows what the rest was.
    if (body.length > this.#missingBytes) return this.#fail(new Error("the answer is too long"));
    this.#missingBytes -= body.length;
    if (body.length > 0) this.#handler.onData(body);
    if (this.#missingBytes === 0 && this.#handler !== undefined) this.#finish();
  }

  /** @returns the bytes behind the head; undefined when there is nothing to go on with. */
  #readHead(bytes: Uint8Array): Uint8Array | undefined {
    const all = this.#headBytes.length === 0 ? bytes : concatBytes([this.#headBytes, bytes]);
    const result = parseResponseHead(all);
    // What was read is in the shared buffer, and the rest of the head will overwrite it.
    this.#headBytes = result.type === "incomplete" ? all.slice() : noBytes;
    if (result.type === "odd") this.#release(true)?.onOdd(result.status);
    if (result.type !== "head") return undefined;
    this.#head = result.head;
    this.#missingBytes = result.head.bodyLength;
    if (this.#handler?.onHead(result.head) === false) this.destroy();
    // Whoever hears a head may have ended it all.
    return this.#handler === undefined ? undefined : all.subarray(result.length);
  }

  #finish(): void {
    const isKept = this.#head?.keepsAlive === true;
    this.#head = undefined;
    this.#socket.unref();
    this.#release(!isKept)?.onEnd();
  }

  #fail(error: Error): void {
    this.#release(true)?.onFailure(error, this.#wasSilent);
  }

  /** Lets go of the handler, and of the connection when it `isOver`. */
  #release(isOver: boolean): AnswerHandler | undefined {
    const handler = this.#handler;
    this.#handler = undefined;
    if (isOver) this.#socket.destroy();
    return handler;
  }
}

/** Opens a socket to the host of `url`, through TLS for https, whose reads go to `onBytes`. */
function openSocket(url: URL, onBytes: (bytes: Uint8Array) => void): Socket {
  const isTls = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
    host,
    port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
    onread: {
      buffer: sharedReadBuffer ?? new Uint8Array(READ_BUFFER_LENGTH),
      callback: (length, buffer) => {
        onBytes(buffer.subarray(0, length));
        return true;
      },
    },
  };
  if (!isTls) return connect({ ...options, host, port: options.port as number, noDelay: true });
  const name = isIP(host) === 0 ? { servername: host } : {};
  // Not by `import`: TLS takes 12 ms to load.
  const { connect: connectTls } = process.getBuiltinModule("node:tls");
  return connectTls({ ...options, ...name, ALPNProtocols: ["http/1.1"] }).setNoDelay(true);
}

function cut(): Error {
  return new Error("the connection was cut");
}
