/**
 * The connecting end of a control link: keeps a WebSocket to the Tracker open, proves itself and
 * has the Tracker prove itself, and connects again, ever less often, when the link is lost. A call
 * waits through that, at most 10 s; being repeatable, it is simply said again on the next link.
 */
import { WebSocket } from "ws";
import { BtPublisherError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import type { Millis } from "../../base/units.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { SourceOrder } from "../../protocol/control/access-values.ts";
import {
  type ClientMessage,
  CONTROL_VERSION,
  type ControlRequest,
  type ControlRole,
  encodeControlMessage,
  parseChallenge,
  parseServerMessage,
  parseWelcome,
  type ServerMessage,
} from "../../protocol/control/messages.ts";
import {
  clientProof,
  type FrameKeys,
  frameKeys,
  type Greeting,
  isSameHexMac,
  newNonce,
  serverProof,
} from "./control-auth.ts";
import { ControlChannel, closeCodes, MAX_FRAME_LENGTH } from "./control-channel.ts";

const GREETING_MS = 10_000;
const CALL_MS = 10_000;
/** For the other side to say goodbye. */
const CLOSING_MS = 1000;
const MIN_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** With so much unsent, what can be left out is left out. */
const MAX_BACKLOG_LENGTH = 4 * 1024 * 1024;

/** For logs. */
export type ControlClientEvent =
  | { readonly type: "connected" }
  /** The link is lost, or could not be made; the next attempt is after `retryMs`. */
  | { readonly type: "disconnected"; readonly reason: string; readonly retryMs: Millis }
  /** The Tracker could not keep a registration that was said again. */
  | { readonly type: "failed"; readonly reason: string };

/** Where and how to connect. */
export interface ControlClientOptions {
  /** WebSocket URL of the Tracker's control path; see `parseControlUrl`. */
  readonly url: string;
  /** The service key that all roles share. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  readonly onEvent: (event: ControlClientEvent) => void;
}

interface PendingCall {
  readonly message: ClientMessage;
  readonly resolve: (answer: ServerMessage) => void;
  readonly reject: (error: BtPublisherError) => void;
  readonly timer: Timer;
}

export class ControlClient {
  readonly #options: ControlClientOptions;
  readonly #role: ControlRole;
  readonly #onConnected: () => void;
  readonly #onOrder: (order: SourceOrder) => void;
  readonly #calls = new Map<number, PendingCall>();
  #nextId = 0;
  #socket: WebSocket | undefined;
  /** Since the Tracker proved itself. */
  #channel: ControlChannel | undefined;
  #retryTimer: Timer | undefined;
  #failedAttempts = 0;
  #lastProblem = "not connected yet";
  #isClosed = false;

  /**
   * Connects. `onConnected` is called on each new link, before calls are repeated; `onOrder` hears
   * what a SourceNode is told.
   */
  constructor(
    options: ControlClientOptions,
    role: ControlRole,
    onConnected: () => void,
    onOrder: (order: SourceOrder) => void = () => {},
  ) {
    this.#options = options;
    this.#role = role;
    this.#onConnected = onConnected;
    this.#onOrder = onOrder;
    this.#connect();
  }

  /** @throws BtPublisherError UNAVAILABLE after 10 s without an answer; what the Tracker answers. */
  call(request: ControlRequest): Promise<ServerMessage> {
    const id = this.#nextId++;
    const message = { ...request, id };
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(closedError());
        return;
      }
      const timer = this.#options.clock.setTimer(CALL_MS, () => {
        this.#calls.delete(id);
        reject(this.#unavailable(`did not answer in ${CALL_MS / 1000} s (${this.#lastProblem})`));
      });
      this.#calls.set(id, { message, resolve, reject, timer });
      this.#channel?.send(encodeControlMessage(message));
    });
  }

  /** Says `message` if the link is up and not clogged; else nobody hears it. */
  tell(message: ClientMessage): void {
    if (this.#channel === undefined || this.#channel.backlogLength > MAX_BACKLOG_LENGTH) return;
    this.#channel.send(encodeControlMessage(message));
  }

  /** Ends the link for good; open calls fail. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retryTimer?.cancel();
    for (const call of this.#calls.values()) {
      call.timer.cancel();
      call.reject(closedError());
    }
    this.#calls.clear();
    const socket = this.#socket;
    if (socket === undefined) return;
    const timer = this.#options.clock.setTimer(CLOSING_MS, () => socket.terminate());
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.close(closeCodes.normal);
    await closed;
    timer.cancel();
  }

  #connect(): void {
    const { url, clock } = this.#options;
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_LENGTH,
      followRedirects: false,
    });
    this.#socket = socket;
    let problem: string | undefined;
    const end = (reason: string) => {
      problem ??= reason;
      socket.terminate();
    };
    const timer = clock.setTimer(GREETING_MS, () => end("no greeting in time"));
    socket.on("error", (error) => {
      problem ??= error.message;
    });
    socket.once("close", (code) => {
      timer.cancel();
      this.#lose(problem ?? describeClose(code));
    });
    socket.once("message", (data: Buffer, isBinary: boolean) => {
      const greeting = this.#answerChallenge(socket, isBinary ? "" : data.toString(), end);
      if (greeting === undefined) return;
      socket.once("message", (welcome: Buffer, isBinary: boolean) => {
        timer.cancel();
        const text = isBinary ? "" : welcome.toString();
        const keys = this.#checkWelcome(text, greeting, end);
        if (keys !== undefined) this.#open(socket, keys, end);
      });
    });
  }

  #answerChallenge(
    socket: WebSocket,
    text: string,
    end: (reason: string) => void,
  ): Greeting | undefined {
    const challenge = parseChallenge(text);
    if (!challenge.ok) {
      end("it does not speak the control protocol: check the URL");
      return undefined;
    }
    const { version, nonce: serverNonce } = challenge.value;
    if (version !== CONTROL_VERSION) {
      end(`it speaks control version ${version}, not ${CONTROL_VERSION}: update the older program`);
      return undefined;
    }
    const greeting = { role: this.#role, serverNonce, clientNonce: newNonce() };
    const { role, clientNonce: nonce } = greeting;
    const mac = clientProof(this.#options.key, greeting);
    socket.send(encodeControlMessage({ type: "proof", version, role, nonce, mac }));
    return greeting;
  }

  #checkWelcome(
    text: string,
    greeting: Greeting,
    end: (reason: string) => void,
  ): FrameKeys | undefined {
    const { key } = this.#options;
    const welcome = parseWelcome(text);
    if (welcome.ok && isSameHexMac(welcome.value.mac, serverProof(key, greeting))) {
      return frameKeys(key, greeting);
    }
    end("it does not hold our service key: check the URL and the key file");
    return undefined;
  }

  #open(socket: WebSocket, keys: FrameKeys, end: (reason: string) => void): void {
    const channel = new ControlChannel(socket, {
      sendKey: keys.toServer,
      receiveKey: keys.toClient,
      clock: this.#options.clock,
      onMessage: (text) => this.#take(text, end),
    });
    this.#channel = channel;
    this.#failedAttempts = 0;
    const repeated = [...this.#calls.values()];
    this.#options.onEvent({ type: "connected" });
    this.#onConnected();
    for (const { message } of repeated) channel.send(encodeControlMessage(message));
  }

  #take(text: string, end: (reason: string) => void): void {
    const parsed = parseServerMessage(text);
    if (!parsed.ok) return end(parsed.message);
    const message = parsed.value;
    if (!("id" in message)) return this.#onOrder(message);
    // None for a call that was given up, or answered on an earlier link.
    const call = this.#calls.get(message.id);
    if (call === undefined) return;
    this.#calls.delete(message.id);
    call.timer.cancel();
    if (message.type !== "failure") call.resolve(message);
    else call.reject(new BtPublisherError(message.code, message.message));
  }

  #lose(reason: string): void {
    this.#channel = undefined;
    this.#socket = undefined;
    this.#lastProblem = reason;
    if (this.#isClosed) return;
    const { clock, random, onEvent } = this.#options;
    // Anywhere up to a bound that doubles, so that many clients do not come back at one moment.
    const bound = Math.min(MAX_RETRY_MS, 2 * MIN_RETRY_MS * 2 ** this.#failedAttempts++);
    const retryMs = MIN_RETRY_MS + (bound - MIN_RETRY_MS) * random.fraction();
    this.#retryTimer = clock.setTimer(retryMs, () => this.#connect());
    onEvent({ type: "disconnected", reason, retryMs });
  }

  #unavailable(what: string): BtPublisherError {
    const { url } = this.#options;
    const message = `the Tracker at ${url} ${what}: see that it runs and has the same service key`;
    return new BtPublisherError("UNAVAILABLE", message, { detail: { url } });
  }
}

/**
 * The WebSocket URL that `--control` means: `http:` and `https:` stand for `ws:` and `wss:`, and the
 * path is `/control` unless it names another. @throws BtPublisherError USAGE for anything else.
 */
export function parseControlUrl(text: string): string {
  const url = URL.parse(text.replace(/^http(?=s?:)/, "ws"));
  const isFit =
    url !== null && /^wss?:$/.test(url.protocol) && url.username === "" && url.hash === "";
  if (!isFit) {
    const message = `${JSON.stringify(text)} is no control URL: write it as https://tracker.example`;
    throw new BtPublisherError("USAGE", message);
  }
  if (url.pathname === "/") url.pathname = "/control";
  return url.href;
}

function closedError(): BtPublisherError {
  return new BtPublisherError("CANCELLED", "the control link was closed");
}

function describeClose(code: number): string {
  switch (code) {
    case closeCodes.wrongKey:
      return "it refused our service key: give both sides the same key file";
    case closeCodes.version:
      return "it speaks another control version: update the older program";
    default:
      return `the connection was closed (code ${code})`;
  }
}
