/** Keeps a ticket of one torrent fresh: fetches it, and again well before it ends. */
import { concatBytes, toHex } from "../base/bytes.ts";
import type { InfoHash, Millis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { HttpClient } from "../ports/http-client.ts";
import { MAX_TICKET_LENGTH } from "../protocol/wire/ticket.ts";

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

export class TicketHolder {
  readonly #ports: { readonly clock: Clock; readonly http: HttpClient };
  readonly #url: string;
  #ticket: Uint8Array | undefined;
  #request: { cancel(): void } | undefined;
  #timer: Timer | undefined;

  constructor(
    ports: { readonly clock: Clock; readonly http: HttpClient },
    { url, infoHash, peerId }: TicketRequest,
  ) {
    this.#ports = ports;
    this.#url = `${url}?h=${infoHash}&p=${toHex(peerId)}`;
  }

  /** The ticket to show now, if there is one. */
  get ticket(): Uint8Array | undefined {
    return this.#ticket;
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
    const settle = (ticket: Uint8Array | undefined): void => {
      this.#ticket = ticket ?? this.#ticket;
      const delayMs = ticket === undefined ? RETRY_MS : REFRESH_MS;
      this.#timer = clock.setTimer(delayMs, () => this.#fetch(() => {}));
      onSettled();
    };
    this.#request = http.get(
      { url: this.#url, maxBytes: MAX_TICKET_LENGTH },
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
}
