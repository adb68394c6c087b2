/**
 * The body of an upload, for the most part read straight from the connection: Node reads 64 KiB at a
 * time into fresh memory, which costs more than all else that the main thread does for an upload.
 */
import { readSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { UploadBody } from "../../ports/content-service.ts";
import { errnoOf } from "./disk-error.ts";

/** Node reads so much at a time, in bytes: after less the connection has nothing more. */
const READ_BYTES = 64 * 1024;
/** When less than so much came at once, more is let come before it is looked again: looking is what costs. */
const ENOUGH_BYTES = 256 * 1024;
const NAP_MS = 4;
/** The end of a body is not waited for. */
const LEAST_LEFT_BYTES = 1024 * 1024;

/**
 * The body of `request`. Node's parser never hears of what was read past it, so that then the answer,
 * `response`, is the connection's last.
 */
export function requestBody(request: IncomingMessage, response: ServerResponse): UploadBody {
  return new RequestBody(request, response);
}

class RequestBody implements UploadBody {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  /** Bytes that are still to come; undefined when nobody knows. */
  #left: number | undefined;
  #hasPassedParser = false;
  /** Whether more may wait than the parser got. */
  #mayWait = false;
  /** Bytes that came since Node's last read. */
  #cameBytes = 0;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    const { "content-length": length, "transfer-encoding": encoding } = request.headers;
    this.#left = encoding === undefined && length !== undefined ? Number(length) : undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    let hasNapped = false;
    for await (const chunk of this.#chunks()) {
      // The parser takes a request that follows for more of the body.
      const ours = chunk.subarray(0, this.#left);
      this.#cameBytes = 0;
      this.#count(ours.length);
      this.#mayWait = hasNapped || chunk.length >= READ_BYTES;
      yield ours;
      if (this.#hasPassedParser && this.#left === 0) return;
      hasNapped = (this.#left ?? 0) >= LEAST_LEFT_BYTES && this.#cameBytes < ENOUGH_BYTES;
      if (hasNapped) await setTimeout(NAP_MS);
    }
  }

  /** What comes through the parser. */
  async *#chunks(): AsyncGenerator<Buffer, void, void> {
    // A refusal must not end the connection before the answer is on its way.
    const chunks = this.#request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    try {
      yield* chunks;
    } catch (error) {
      // Node forgets what came last when the connection breaks while nobody reads.
      const rest = this.#request.read() as Buffer | null;
      if (rest !== null) yield rest;
      throw error;
    }
  }

  readonly readWaiting = (target: Uint8Array): number => {
    const { socket, readableLength } = this.#request;
    // What the parser has comes first.
    const isNext = this.#mayWait && readableLength === 0 && socket.readableLength === 0;
    if (!isNext || this.#left === undefined || this.#response.headersSent) return 0;
    const length = readNow(socket, target.subarray(0, this.#left));
    if (length === 0) return 0;
    this.#count(length);
    this.#hasPassedParser = true;
    this.#response.setHeader("connection", "close");
    return length;
  };

  #count(bytes: number): void {
    if (this.#left !== undefined) this.#left -= bytes;
    this.#cameBytes += bytes;
  }
}

/** Reads without waiting. @returns how many bytes; 0 also at the end and after errors, which Node meets next. */
function readNow(socket: Socket, target: Uint8Array): number {
  // Asked for each time: once the connection is closed the number may be another file's.
  const descriptor = descriptorOf(socket);
  if (descriptor === undefined || target.length === 0) return 0;
  try {
    return readSync(descriptor, target);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return 0;
  }
}

/**
 * The descriptor of a plain TCP connection (a TLS one has other bytes). That is not of Node's documented
 * interface; where it is missing everything comes through the parser.
 */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = "encrypted" in socket ? undefined : Reflect.get(socket, "_handle");
  const isObject = typeof handle === "object" && handle !== null;
  const descriptor: unknown = isObject ? Reflect.get(handle, "fd") : undefined;
  return typeof descriptor === "number" && descriptor >= 0 ? descriptor : undefined;
}
