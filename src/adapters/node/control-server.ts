/**
 * The Tracker's end of control links: WebSockets at `/control` of an HTTP server that it shares.
 * A client has 10 s to prove that it holds the service key; what it says afterwards goes to the
 * Tracker, one message after the other.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { formatIp, type IpNetwork } from "../../base/ip-address.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { TrackerControl } from "../../ports/tracker-control.ts";
import {
  CONTROL_VERSION,
  type ControlRole,
  encodeControlMessage,
  parseProof,
} from "../../protocol/control/messages.ts";
import { clientAddress } from "../../protocol/http/client-address.ts";
import {
  clientProof,
  frameKeys,
  type Greeting,
  isSameHexMac,
  newNonce,
  serverProof,
} from "./control-auth.ts";
import { ControlChannel, closeCodes, MAX_FRAME_LENGTH } from "./control-channel.ts";
import { ControlSession } from "./control-session.ts";
import { refuseUpgrade } from "./websocket-upgrade.ts";

/** Where control links are opened. */
export const CONTROL_PATH = "/control";

const GREETING_MS = 10_000;
/** Connections that have not proved anything yet; beyond it new ones are turned away. */
const MAX_STRANGERS = 256;
/** The same from one address, so that no single host keeps the SourceNodes out. */
const MAX_STRANGERS_PER_ADDRESS = 8;

/** For logs. */
export type ControlServerEvent =
  | { readonly type: "opened"; readonly role: ControlRole; readonly address: string }
  /** It did not prove itself; `reason` says how it failed. */
  | { readonly type: "refused"; readonly address: string; readonly reason: string }
  | {
      readonly type: "closed";
      readonly role: ControlRole;
      readonly address: string;
      readonly reason: string;
    };

/** What a control server needs. */
export interface ControlServerOptions {
  readonly tracker: TrackerControl;
  /** The service key that all roles share. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  /** Whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly IpNetwork[];
  readonly onEvent: (event: ControlServerEvent) => void;
}

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_LENGTH,
    perMessageDeflate: false,
  });
  /** The address of each connection that has not proved anything yet. */
  readonly #strangers = new Map<WebSocket, string>();

  constructor(options: ControlServerOptions) {
    this.#options = options;
  }

  /** @returns false, having done nothing, when the request is for another path. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (request.url?.replace(/\?.*$/s, "") !== CONTROL_PATH) return false;
    const address = this.#addressOf(request);
    if (address === undefined) refuseUpgrade(socket, 400);
    else if (this.#isCrowded(address)) refuseUpgrade(socket, 503);
    else {
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.#greet(webSocket, address);
      });
    }
    return true;
  }

  /** Ends all links and accepts no new one. */
  async close(): Promise<void> {
    this.#sockets.close();
    const open = [...this.#sockets.clients];
    const closed = open.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    for (const socket of open) socket.terminate();
    await Promise.all(closed);
  }

  #isCrowded(address: string): boolean {
    if (this.#strangers.size >= MAX_STRANGERS) return true;
    let count = 0;
    for (const stranger of this.#strangers.values()) if (stranger === address) count++;
    return count >= MAX_STRANGERS_PER_ADDRESS;
  }

  #addressOf(request: IncomingMessage): string | undefined {
    const header = request.headers["x-forwarded-for"];
    const client = clientAddress(
      request.socket.remoteAddress,
      Array.isArray(header) ? header.join(",") : header,
      this.#options.trustedProxies,
    );
    return client === undefined ? undefined : formatIp(client.address);
  }

  /** Challenges a stranger, which has to prove itself with its first message. */
  #greet(socket: WebSocket, address: string): void {
    const { clock, onEvent } = this.#options;
    const serverNonce = newNonce();
    let reason = "left without a proof";
    this.#strangers.set(socket, address);
    const timer = clock.setTimer(GREETING_MS, () => {
      reason = "no proof in time";
      socket.close(closeCodes.timeout, reason);
    });
    const leave = () => {
      onEvent({ type: "refused", address, reason });
      this.#endGreeting(socket, timer);
    };
    // The socket ends by itself after an error; without a listener the process would.
    socket.on("error", (error) => {
      reason = error.message;
    });
    socket.once("close", leave);
    socket.once("message", (data: Buffer, isBinary: boolean) => {
      if (socket.readyState !== socket.OPEN) return;
      const proof = this.#checkProof(isBinary ? "" : data.toString("utf8"), serverNonce);
      if (proof.type === "refused") {
        reason = proof.reason;
        socket.close(proof.code, reason);
        return;
      }
      socket.off("close", leave);
      this.#endGreeting(socket, timer);
      this.#open(socket, address, proof.greeting);
    });
    const challenge = { type: "challenge", version: CONTROL_VERSION, nonce: serverNonce } as const;
    socket.send(encodeControlMessage(challenge));
  }

  #endGreeting(socket: WebSocket, timer: Timer): void {
    timer.cancel();
    this.#strangers.delete(socket);
  }

  #checkProof(text: string, serverNonce: string): ProofVerdict {
    const proof = parseProof(text);
    if (!proof.ok) {
      return { type: "refused", code: closeCodes.malformed, reason: "malformed greeting" };
    }
    const { version, role, nonce: clientNonce, mac } = proof.value;
    if (version !== CONTROL_VERSION) {
      const reason = `control version ${version}, not ${CONTROL_VERSION}`;
      return { type: "refused", code: closeCodes.version, reason };
    }
    const greeting = { role, serverNonce, clientNonce };
    if (!isSameHexMac(mac, clientProof(this.#options.key, greeting))) {
      return { type: "refused", code: closeCodes.wrongKey, reason: "wrong service key" };
    }
    return { type: "proven", greeting };
  }

  #open(socket: WebSocket, address: string, greeting: Greeting): void {
    const { tracker, key, clock, onEvent } = this.#options;
    const { role } = greeting;
    const keys = frameKeys(key, greeting);
    const session = new ControlSession(tracker, {
      role,
      address,
      send: (message) => channel.send(encodeControlMessage(message)),
      end: (reason) => channel.close(closeCodes.malformed, reason),
    });
    const channel = new ControlChannel(socket, {
      sendKey: keys.toClient,
      receiveKey: keys.toServer,
      clock,
      onMessage: (text) => session.handleMessage(text),
    });
    socket.once("close", (code, reason) => {
      session.close();
      onEvent({ type: "closed", role, address, reason: reason.toString() || `code ${code}` });
    });
    onEvent({ type: "opened", role, address });
    const welcome = { type: "welcome", mac: serverProof(key, greeting) } as const;
    socket.send(encodeControlMessage(welcome));
  }
}

type ProofVerdict =
  | { readonly type: "proven"; readonly greeting: Greeting }
  | { readonly type: "refused"; readonly code: number; readonly reason: string };
