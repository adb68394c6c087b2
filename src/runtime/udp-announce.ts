/**
 * One announce over UDP (BEP 15): asks for a connection id, announces, and says what came of it.
 * What gets lost is sent again, after 15 s and after 30 s more; then it gives up, since the schedule
 * of announces tries another tracker, or this one later.
 */
import type { Random } from "../base/random.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { DatagramExchange, DatagramPort } from "../ports/datagrams.ts";
import type { AnnounceParameters } from "../protocol/tracker/http-request.ts";
import { parseUrl } from "../base/url.ts";
import {
  encodeUdpAnnounce,
  encodeUdpConnect,
  readUdpAnswer,
} from "../protocol/tracker/udp-client.ts";
import type { AnnounceOutcome } from "./announce-outcome.ts";

/** BEP 15's unit of waiting: 15 · 2^n seconds after the n-th packet. */
const FIRST_WAIT_MS = 15_000;
const MAX_SILENCES = 3;

/** What it is done with. */
export interface UdpAnnouncePorts {
  readonly clock: Clock;
  readonly datagrams: DatagramPort;
  readonly random: Random;
}

export class UdpAnnounce {
  readonly #ports: UdpAnnouncePorts;
  readonly #parameters: AnnounceParameters;
  readonly #urlPath: string;
  readonly #done: (outcome: AnnounceOutcome) => void;
  #exchange: DatagramExchange | undefined;
  #connectionId: Uint8Array | undefined;
  #transactionId = 0;
  #silences = 0;
  #timer: Timer | undefined;

  /** Announces to the tracker at `url` (udp://host:port/…); `done` is called once, later. */
  constructor(
    ports: UdpAnnouncePorts,
    url: string,
    parameters: AnnounceParameters,
    done: (outcome: AnnounceOutcome) => void,
  ) {
    this.#ports = ports;
    this.#parameters = parameters;
    this.#done = done;
    const parts = parseUrl(url);
    this.#urlPath = `${parts?.path ?? ""}${parts?.query === undefined ? "" : `?${parts.query}`}`;
    if (parts?.port === undefined) {
      this.#timer = ports.clock.setTimer(0, () => this.#fail("its URL names no port", false));
      return;
    }
    this.#exchange = ports.datagrams.open(parts.host, parts.port, {
      onOpen: () => this.#send(),
      onDatagram: (datagram) => this.#receive(datagram),
      onError: (message) => this.#fail(message, false),
    });
  }

  /** Stops; `done` is not called any more. */
  cancel(): void {
    this.#timer?.cancel();
    this.#exchange?.close();
    this.#exchange = undefined;
  }

  #send(): void {
    const transactionId = this.#ports.random.nextUint32();
    this.#transactionId = transactionId;
    const connectionId = this.#connectionId;
    this.#exchange?.send(
      connectionId === undefined
        ? encodeUdpConnect(transactionId)
        : encodeUdpAnnounce({ connectionId, transactionId }, this.#parameters, this.#urlPath),
    );
    this.#timer?.cancel();
    const waitMs = FIRST_WAIT_MS * 2 ** this.#silences;
    this.#timer = this.#ports.clock.setTimer(waitMs, () => {
      // The id may be what was wrong.
      this.#connectionId = undefined;
      if (++this.#silences === MAX_SILENCES) this.#fail("no answer", false);
      else this.#send();
    });
  }

  #receive(datagram: Uint8Array): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const answer = readUdpAnswer(datagram, this.#transactionId, exchange.addressLength);
    if (answer === undefined) return;
    const isConnecting = this.#connectionId === undefined;
    if (answer.type === "error") this.#fail(answer.message, true);
    else if (answer.type === "connected" && isConnecting) {
      this.#connectionId = answer.connectionId;
      this.#send();
    } else if (answer.type === "announced" && !isConnecting) {
      this.cancel();
      this.#done({ type: "answered", response: answer.response });
    }
  }

  #fail(message: string, isRefusal: boolean): void {
    this.cancel();
    this.#done({ type: "failed", message, isRefusal });
  }
}
