/**
 * The Tracker's UDP door (BEP 15, BEP 41): a packet in, at most one packet out, never a longer one
 * before the sender proved its address (T1). Who asks over IPv4 is named IPv4 peers, who asks over
 * IPv6 is named IPv6 peers.
 */
import { infoHashOf } from "../base/bytes.ts";
import { Announce } from "../protocol/tracker/announce.ts";
import type { AnswerMemory } from "../protocol/tracker/http-answer.ts";
import {
  encodeUdpAnnounceAnswer,
  encodeUdpError,
  encodeUdpScrapeAnswer,
  maxUdpPeers,
} from "../protocol/tracker/udp-answer.ts";
import { udpLengths } from "../protocol/tracker/udp-packets.ts";
import {
  findUdpKey,
  readUdpAnnounce,
  readUdpScrape,
  readUdpUrl,
  type UdpRequestType,
  udpRequestType,
} from "../protocol/tracker/udp-request.ts";
import { isKey, KeyBytes, keyOfPath } from "../protocol/tracker/key.ts";
import { ACCESS_DENIED } from "./announce-access.ts";
import type { Asker } from "./sources.ts";
import type { Tracker } from "./tracker.ts";
import { UdpGate, type UdpGateOptions } from "./udp-gate.ts";

/** Turns packets into announces and scrapes, and what comes of them into packets. */
export class TrackerUdpDoor {
  readonly #tracker: Tracker;
  readonly #memory: AnswerMemory;
  readonly #gate: UdpGate;
  readonly #announce = new Announce();
  readonly #key = new KeyBytes();
  /** Packets: asked, and of those ignored. */
  readonly counters = { connect: 0, announce: 0, scrape: 0, ignored: 0 };

  constructor(tracker: Tracker, options: UdpGateOptions) {
    this.#tracker = tracker;
    this.#memory = options.memory;
    this.#gate = new UdpGate(options);
    this.#announce.wantsBothFamilies = false;
  }

  /** The packet that answers `packet`, which came from `asker`; undefined: none. */
  answer(packet: Uint8Array, asker: Asker): Uint8Array | undefined {
    const verdict = this.#gate.judge(packet, asker.address);
    if (verdict === "announce" || verdict === "scrape") {
      return this.answerAdmitted(verdict, packet, asker);
    }
    if (verdict === "ignored") {
      this.counters.ignored++;
      return undefined;
    }
    this.counters[udpRequestType(packet) as UdpRequestType]++;
    return verdict;
  }

  /** The packet that answers one that a gate let through as a `type`. */
  answerAdmitted(type: "announce" | "scrape", packet: Uint8Array, asker: Asker): Uint8Array {
    this.counters[type]++;
    return type === "announce" ? this.#announced(packet, asker) : this.#scraped(packet, asker);
  }

  #announced(packet: Uint8Array, asker: Asker): Uint8Array {
    const announce = this.#announce;
    const failure = readUdpAnnounce(packet, announce);
    if (failure !== undefined) return this.#error(packet, failure);
    const addressLength = asker.address.length === 4 ? 4 : 16;
    const most = maxUdpPeers(addressLength);
    if (announce.numWant !== undefined && announce.numWant > most) announce.numWant = most;
    const key = this.#keyOf(packet);
    if (typeof key === "string" && !isKey(key)) return this.#error(packet, ACCESS_DENIED);
    const verdict = this.#tracker.announce(announce, asker, key);
    if (verdict.type === "refused") return this.#error(packet, verdict.reason);
    return encodeUdpAnnounceAnswer(packet, verdict.answer, addressLength, this.#memory);
  }

  #keyOf(packet: Uint8Array): string | KeyBytes | undefined {
    if (packet.length === udpLengths.announce) return undefined;
    return findUdpKey(packet, this.#key) ? this.#key : keyOfPath(readUdpUrl(packet) ?? "");
  }

  /** A scrape over UDP cannot carry a key: it shows what everybody may see. */
  #scraped(packet: Uint8Array, { address }: Asker): Uint8Array {
    const hashes = readUdpScrape(packet)?.map(infoHashOf);
    if (hashes === undefined) return this.#error(packet, "invalid scrape");
    const found = this.#tracker.scrapeFor(hashes, undefined, { address, peerId: undefined });
    const counts = hashes.map((infoHash) => found.get(infoHash));
    return encodeUdpScrapeAnswer(packet, counts, this.#memory);
  }

  #error(packet: Uint8Array, message: string): Uint8Array {
    return encodeUdpError(packet, message, this.#memory);
  }
}
