/**
 * The Tracker's UDP door (BEP 15, BEP 41): a packet in, at most one packet out, never a longer one
 * before the sender proved its address (T1). Who asks over IPv4 is named IPv4 peers, who asks over
 * IPv6 is named IPv6 peers.
 */
import { infoHashOf } from "../base/bytes.ts";
import type { Millis } from "../base/units.ts";
import { Announce } from "../protocol/tracker/announce.ts";
import type { AnswerMemory } from "../protocol/tracker/http-answer.ts";
import {
  beginUdpAnswer,
  encodeUdpAnnounceAnswer,
  encodeUdpError,
  encodeUdpScrapeAnswer,
  maxUdpPeers,
} from "../protocol/tracker/udp-answer.ts";
import { udpAnswerAt, udpLengths } from "../protocol/tracker/udp-packets.ts";
import {
  readUdpAnnounce,
  readUdpScrape,
  readUdpUrl,
  type UdpRequestType,
  udpRequestType,
} from "../protocol/tracker/udp-request.ts";
import { ACCESS_DENIED } from "./announce-access.ts";
import { isKey, keyOfPath } from "../protocol/tracker/key.ts";
import { NetworkRate } from "./network-rate.ts";
import type { Asker } from "./sources.ts";
import type { Tracker } from "./tracker.ts";
import { UdpConnectionIds } from "./udp-connection-ids.ts";

/** What the door is built on. */
export interface TrackerUdpDoorOptions {
  /** 18 random bytes, new at every start. */
  readonly secret: Uint8Array;
  readonly now: () => Millis;
  readonly memory: AnswerMemory;
  /**
   * Answers a second to those of one IPv4 /24 or IPv6 /48 who have not proved their address: default
   * 1000 (UDP-21).
   */
  readonly maxStrangersPerSecond?: number;
}

const MAX_STRANGERS_PER_SECOND = 1000;

/** Turns packets into announces and scrapes, and what comes of them into packets. */
export class TrackerUdpDoor {
  readonly #tracker: Tracker;
  readonly #options: TrackerUdpDoorOptions;
  readonly #ids: UdpConnectionIds;
  readonly #strangers: NetworkRate;
  readonly #announce = new Announce();
  /** Packets: asked, and of those ignored. */
  readonly counters = { connect: 0, announce: 0, scrape: 0, ignored: 0 };

  constructor(tracker: Tracker, options: TrackerUdpDoorOptions) {
    this.#tracker = tracker;
    this.#options = options;
    this.#ids = new UdpConnectionIds(options.secret);
    const { maxStrangersPerSecond = MAX_STRANGERS_PER_SECOND } = options;
    this.#strangers = new NetworkRate(maxStrangersPerSecond, (options.secret[0] as number) << 16);
    this.#announce.wantsBothFamilies = false;
  }

  /** The packet that answers `packet`, which came from `asker`; undefined: none. */
  answer(packet: Uint8Array, asker: Asker): Uint8Array | undefined {
    const type = udpRequestType(packet);
    const answer = type === undefined ? undefined : this.#answer(type, packet, asker);
    this.counters[answer === undefined || type === undefined ? "ignored" : type]++;
    return answer;
  }

  #answer(type: UdpRequestType, packet: Uint8Array, asker: Asker): Uint8Array | undefined {
    const { now: clock, memory } = this.#options;
    const now = clock();
    if (type === "connect") {
      if (!this.#strangers.admits(asker.address, now)) return undefined;
      const answer = beginUdpAnswer(packet, "connect", udpLengths.connect, memory);
      this.#ids.write(answer, udpAnswerAt.connectionId, asker.address, now);
      return answer;
    }
    const verdict = this.#ids.check(packet, asker.address, now);
    if (verdict === "valid") {
      return type === "announce" ? this.#announced(packet, asker) : this.#scraped(packet, asker);
    }
    if (verdict === "forged" || packet.length < udpLengths.announce) return undefined;
    if (!this.#strangers.admits(asker.address, now)) return undefined;
    return this.#error(packet, "connection id expired");
  }

  #announced(packet: Uint8Array, asker: Asker): Uint8Array {
    const announce = this.#announce;
    const failure = readUdpAnnounce(packet, announce);
    if (failure !== undefined) return this.#error(packet, failure);
    const addressLength = asker.address.length === 4 ? 4 : 16;
    const most = maxUdpPeers(addressLength);
    if (announce.numWant !== undefined && announce.numWant > most) announce.numWant = most;
    let key: string | undefined;
    if (packet.length > udpLengths.announce) {
      key = keyOfPath(readUdpUrl(packet) ?? "");
      if (key !== undefined && !isKey(key)) return this.#error(packet, ACCESS_DENIED);
    }
    const verdict = this.#tracker.announce(announce, asker, key);
    if (verdict.type === "refused") return this.#error(packet, verdict.reason);
    const { memory } = this.#options;
    return encodeUdpAnnounceAnswer(packet, verdict.answer, addressLength, memory);
  }

  /** A scrape over UDP cannot carry a key: it shows what everybody may see. */
  #scraped(packet: Uint8Array, { address }: Asker): Uint8Array {
    const hashes = readUdpScrape(packet)?.map(infoHashOf);
    if (hashes === undefined) return this.#error(packet, "invalid scrape");
    const found = this.#tracker.scrapeFor(hashes, undefined, { address, peerId: undefined });
    const counts = hashes.map((infoHash) => found.get(infoHash));
    return encodeUdpScrapeAnswer(packet, counts, this.#options.memory);
  }

  #error(packet: Uint8Array, message: string): Uint8Array {
    return encodeUdpError(packet, message, this.#options.memory);
  }
}
