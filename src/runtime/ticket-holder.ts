/**
 * The tickets of a peer in one torrent: keeps its own fresh, fetched again well before it ends, and
 * judges those of others by what came with it.
 */
import { concatBytes, toHex } from "../base/bytes.ts";
import { parseIp } from "../base/ip-address.ts";
import type { InfoHash, Millis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { HttpClient } from "../ports/http-client.ts";
import { checkTicket, type VerifyTicket } from "../protocol/wire/ticket.ts";
import {
  MAX_TICKET_ANSWER_LENGTH,
  parseTicketAnswer,
  type TicketAnswer,
} from "../protocol/wire/ticket-answer.ts";
import type { TicketBearer, TicketGuard } from "./ticket-gate.ts";

/** A third of a ticket's life. */
const REFRESH_MS: Millis = 5 * 60_000;
const RETRY_MS: Millis = 30_000;

/** What to ask for. */
export interface TicketRequest {
  /** Where tickets are issued, the key included. */
  readonly url: string;
  readonly infoHash: InfoHash;
  readonly peerId: Uint8Array;
}

/** What a holder works with. */
export interface TicketPorts {
  readonly clock: Clock;
  readonly http: HttpClient;
  readonly verifyTicket: VerifyTicket;
}

export class TicketHolder implements TicketGuard {
  readonly #ports: TicketPorts;
  readonly #url: string;
  readonly #infoHash: InfoHash;
  #pass: TicketAnswer | undefined;
  /** How far the Tracker's clock is ahead of ours, which may be wrong by hours. */
  #aheadMs: Millis = 0;
  #request: { cancel(): void } | undefined;
  #timer: Timer | undefined;

  constructor(ports: TicketPorts, { url, infoHash, peerId }: TicketRequest) {
    this.#ports = ports;
    this.#infoHash = infoHash;
    this.#url = `${url}?h=${infoHash}&p=${toHex(peerId)}`;
  }

  get pass(): TicketAnswer | undefined {
    return this.#pass;
  }

  check({ peerId, host }: TicketBearer, ticket: Uint8Array | undefined): Millis | undefined {
    const address = parseIp(host);
    if (this.#pass === undefined || address === undefined) return undefined;
    const { clock, verifyTicket } = this.#ports;
    const { publicKey } = this.#pass;
    const now = clock.unixNow() + this.#aheadMs;
    const expected = { infoHash: this.#infoHash, peerId, address, now, publicKey };
    const checked = checkTicket(ticket, expected, verifyTicket);
    return checked.ok ? checked.value : undefined;
  }

  /** Fetches the first ticket; `onSettled` is called once, when it came or could not be had. */
  start(onSettled: () => void): void {
    this.#fetch(onSettled);
  }

  stop(): void {
    this.#request?.cancel();
    this.#timer?.cancel();
  }

  #fetch(onSettled: () => void): void {
    const { clock, http } = this.#ports;
    const parts: Uint8Array[] = [];
    const settle = (body: Uint8Array | undefined): void => {
      const isTaken = body !== undefined && this.#take(body);
      this.#timer = clock.setTimer(isTaken ? REFRESH_MS : RETRY_MS, () => this.#fetch(() => {}));
      onSettled();
    };
    this.#request = http.get(
      { url: this.#url, maxBytes: MAX_TICKET_ANSWER_LENGTH },
      {
        onHead: ({ status }) => {
          if (status !== 200) settle(undefined);
          return status === 200;
        },
        onData: (bytes) => void parts.push(bytes.slice()),
        onEnd: () => settle(concatBytes(parts)),
        onError: () => settle(undefined),
      },
    );
  }

  #take(body: Uint8Array): boolean {
    const answer = parseTicketAnswer(body);
    if (!answer.ok) return false;
    this.#pass = answer.value;
    this.#aheadMs = answer.value.now - this.#ports.clock.unixNow();
    return true;
  }
}
