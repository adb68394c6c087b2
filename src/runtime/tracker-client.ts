/**
 * Announces one torrent to its trackers over HTTP, UDP and WebSocket (BEP 3, 12, 15): drives an
 * `AnnounceSchedule` and hands the peers that come back to the torrent.
 */
import { concatBytes } from "../base/bytes.ts";
import type { Random } from "../base/random.ts";
import type { InfoHash } from "../base/units.ts";
import { type AnnounceOutput, AnnounceSchedule } from "../engine/announcing/announce-schedule.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { DatagramPort } from "../ports/datagrams.ts";
import type { HttpClient } from "../ports/http-client.ts";
import type { PeerAddress } from "../ports/peer-transport.ts";
import type { WebSocketPort } from "../ports/web-sockets.ts";
import {
  type AnnounceResponse,
  parseAnnounceAnswer,
  MAX_TRACKER_ANSWER_LENGTH,
} from "../protocol/tracker/http-parse-answer.ts";
import { type AnnounceParameters, buildAnnounceUrl } from "../protocol/tracker/http-request.ts";
import type { AnnounceOutcome } from "./announce-outcome.ts";
import { UdpAnnounce } from "./udp-announce.ts";
import { WsAnnounce } from "./ws-announce.ts";

/** What a tracker is told of us, asked for at each announce. */
export interface AnnounceFacts {
  readonly uploaded: number;
  readonly downloaded: number;
  readonly left: number;
  /** Incomplete, and nobody connected has what we lack: ask sooner. */
  readonly isLonely: boolean;
}

/** The world that announces go through. */
export interface TrackerClientPorts {
  readonly clock: Clock;
  readonly http: HttpClient;
  readonly random: Random;
  /** Left out where there is no UDP: then trackers behind it are left out too. */
  readonly datagrams?: DatagramPort;
  /** The same for WebSockets. */
  readonly webSockets?: WebSocketPort;
}

/** The torrent that is announced. */
export interface TrackerClientOwner {
  facts(): AnnounceFacts;
  handlePeers(addresses: readonly PeerAddress[]): void;
  /** For people: the tracker at `url` did not answer, or refused; `isRefusal` is its own word. */
  handleFailure?(failure: {
    readonly url: string;
    readonly message: string;
    readonly isRefusal: boolean;
  }): void;
}

interface Cancellable {
  cancel(): void;
}

const schemes = { http: /^https?:/i, udp: /^udp:/i, webSocket: /^wss?:/i } as const;

const NUM_WANT = 50;
/** How long `stop` waits for the tracker to hear of the completed download, and then of the goodbye. */
const STOP_TIMEOUT_MS = 2000;

export class TrackerClient {
  readonly #ports: TrackerClientPorts;
  readonly #torrent: {
    readonly infoHash: InfoHash;
    readonly peerId: Uint8Array;
    readonly port: number;
    /** BEP 7 and 3: stays the same when our address changes. */
    readonly key: number;
  };
  readonly #owner: TrackerClientOwner;
  readonly #schedule: AnnounceSchedule;
  readonly #requests = new Set<Cancellable>();
  #timer: Timer | undefined;
  #isStopping = false;
  /** Called after each announce. */
  #onAnswer: (() => void) | undefined;

  /** `tiers`: announce URLs; those for which there is no port are left out. */
  constructor(
    ports: TrackerClientPorts,
    torrent: {
      readonly infoHash: InfoHash;
      readonly peerId: Uint8Array;
      readonly port: number;
      readonly tiers: readonly (readonly string[])[];
    },
    owner: TrackerClientOwner,
  ) {
    this.#ports = ports;
    this.#torrent = { ...torrent, key: ports.random.nextUint32() };
    this.#owner = owner;
    const tiers = torrent.tiers
      .map((tier) => tier.filter((url) => this.#isAskable(url)))
      .filter((tier) => tier.length > 0);
    this.#schedule = new AnnounceSchedule(tiers, ports.random);
  }

  start(): void {
    this.#schedule.start();
    this.#drain();
  }

  complete(): void {
    this.#schedule.complete();
    this.#drain();
  }

  /** Looks again when to announce: call it when the torrent became lonely, or ceased to be. */
  refresh(): void {
    this.#drain();
  }

  /**
   * Says goodbye; resolves when the tracker has heard it. A completed download is told first, since
   * after the goodbye it would list us again. Waits at most 2 s for each.
   */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#schedule.isTellingCompletion) {
      await this.#until(() => !this.#schedule.isTellingCompletion);
    }
    this.#cancelAll();
    this.#schedule.stop();
    this.#drain();
    await this.#until(() => this.#requests.size === 0);
    this.#cancelAll();
  }

  #isAskable(url: string): boolean {
    if (schemes.udp.test(url)) return this.#ports.datagrams !== undefined;
    if (schemes.webSocket.test(url)) return this.#ports.webSockets !== undefined;
    return schemes.http.test(url);
  }

  #cancelAll(): void {
    for (const request of this.#requests) request.cancel();
    this.#requests.clear();
  }

  /** Resolves when an answer made `isDone` true, or after STOP_TIMEOUT_MS. */
  async #until(isDone: () => boolean): Promise<void> {
    if (isDone()) return;
    await new Promise<void>((resolve) => {
      const timer = this.#ports.clock.setTimer(STOP_TIMEOUT_MS, resolve);
      this.#onAnswer = () => {
        if (!isDone()) return;
        timer.cancel();
        resolve();
      };
    });
    this.#onAnswer = undefined;
  }

  #drain(): void {
    for (const output of this.#schedule.takeOutputs()) this.#announce(output);
    this.#timer?.cancel();
    this.#timer = undefined;
    const now = this.#ports.clock.now();
    const next = this.#schedule.nextTimeout(this.#owner.facts().isLonely);
    if (next === undefined) return;
    this.#timer = this.#ports.clock.setTimer(Math.max(0, next - now), () => {
      this.#schedule.handleTimeout(this.#ports.clock.now(), this.#owner.facts().isLonely);
      this.#drain();
    });
  }

  #announce({ url, event }: AnnounceOutput): void {
    const { uploaded, downloaded, left } = this.#owner.facts();
    const { infoHash, peerId, port, key } = this.#torrent;
    const parameters: AnnounceParameters = {
      infoHash,
      peerId,
      port,
      uploaded,
      downloaded,
      left,
      event,
      numWant: event === "stopped" ? 0 : NUM_WANT,
      key,
    };
    if (schemes.udp.test(url)) this.#announceByUdp(url, parameters);
    else if (schemes.webSocket.test(url)) this.#announceByWebSocket(url, parameters);
    else this.#announceByHttp(url, parameters);
  }

  #announceByUdp(url: string, parameters: AnnounceParameters): void {
    const { clock, random, datagrams } = this.#ports;
    if (datagrams === undefined) return;
    const ports = { clock, random, datagrams };
    this.#ask(url, (done) => new UdpAnnounce(ports, url, parameters, done));
  }

  #announceByWebSocket(url: string, parameters: AnnounceParameters): void {
    const { clock, webSockets } = this.#ports;
    if (webSockets === undefined) return;
    const ports = { clock, webSockets };
    this.#ask(url, (done) => new WsAnnounce(ports, url, parameters, done));
  }

  #ask(url: string, start: (done: (outcome: AnnounceOutcome) => void) => Cancellable): void {
    const request = start((outcome) => {
      this.#requests.delete(request);
      if (outcome.type === "answered") this.#handleResponse(url, outcome.response);
      else this.#fail(url, outcome.message, outcome.isRefusal);
      this.#drain();
      this.#onAnswer?.();
    });
    this.#requests.add(request);
  }

  #announceByHttp(url: string, parameters: AnnounceParameters): void {
    const body: Uint8Array[] = [];
    const finish = (failure: string | undefined) => {
      this.#requests.delete(request);
      if (failure !== undefined) this.#fail(url, failure, false);
      else this.#handleBody(url, concatBytes(body));
      this.#drain();
      this.#onAnswer?.();
    };
    const request = this.#ports.http.get(
      { url: buildAnnounceUrl(url, parameters), maxBytes: MAX_TRACKER_ANSWER_LENGTH },
      {
        // Some trackers refuse with an error status and a reason in the body: read it all the same.
        onHead: () => true,
        onData: (bytes) => body.push(bytes.slice()),
        onEnd: () => finish(undefined),
        onError: (message) => finish(message),
      },
    );
    this.#requests.add(request);
  }

  #handleBody(url: string, body: Uint8Array): void {
    const parsed = parseAnnounceAnswer(body);
    if (!parsed.ok) {
      this.#fail(url, parsed.message, parsed.code === "TRK_FAILURE");
      return;
    }
    this.#handleResponse(url, parsed.value);
  }

  #handleResponse(url: string, response: AnnounceResponse): void {
    const { intervalMs, minIntervalMs, peers } = response;
    this.#schedule.handleAnswer(this.#ports.clock.now(), url, { intervalMs, minIntervalMs });
    if (!this.#isStopping) this.#owner.handlePeers(peers);
  }

  #fail(url: string, message: string, isRefusal: boolean): void {
    this.#schedule.handleFailure(this.#ports.clock.now());
    this.#owner.handleFailure?.({ url, message, isRefusal });
  }
}
