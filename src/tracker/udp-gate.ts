/**
 * The first half of the UDP door: who may ask at all. Hands out connection ids and checks them,
 * without a word to the Tracker, so that it may stand in a thread of its own.
 */
import type { IpBytes } from "../base/ip-address.ts";
import type { Millis } from "../base/units.ts";
import type { AnswerMemory } from "../protocol/tracker/http-answer.ts";
import { beginUdpAnswer, encodeUdpError } from "../protocol/tracker/udp-answer.ts";
import { udpAnswerAt, udpLengths } from "../protocol/tracker/udp-packets.ts";
import { type UdpRequestType, udpRequestType } from "../protocol/tracker/udp-request.ts";
import { NetworkRate } from "./network-rate.ts";
import { UdpConnectionIds } from "./udp-connection-ids.ts";

/** What a gate is built on. */
export interface UdpGateOptions {
  /** 18 random bytes, new at every start; the same for all gates of a Tracker. */
  readonly secret: Uint8Array;
  /** The same clock for all gates of a Tracker. */
  readonly now: () => Millis;
  readonly memory: AnswerMemory;
  /**
   * Answers a second to those of one IPv4 /24 or IPv6 /48 who have not proved their address: default
   * 1000 (UDP-21).
   */
  readonly maxStrangersPerSecond?: number;
}

/** What is to be done with a packet. */
export type UdpGateVerdict =
  /** Nothing. */
  | "ignored"
  /** Its sender proved its address: the Tracker answers. */
  | Exclude<UdpRequestType, "connect">
  /** This answers it. */
  | Uint8Array;

const MAX_STRANGERS_PER_SECOND = 1000;

export class UdpGate {
  readonly #options: UdpGateOptions;
  readonly #ids: UdpConnectionIds;
  readonly #strangers: NetworkRate;

  constructor(options: UdpGateOptions) {
    this.#options = options;
    this.#ids = new UdpConnectionIds(options.secret);
    const { maxStrangersPerSecond = MAX_STRANGERS_PER_SECOND } = options;
    this.#strangers = new NetworkRate(maxStrangersPerSecond, (options.secret[0] as number) << 16);
  }

  /** Judges `packet`, which came from `address`. */
  judge(packet: Uint8Array, address: IpBytes): UdpGateVerdict {
    const { now: clock, memory } = this.#options;
    const type = udpRequestType(packet);
    if (type === undefined) return "ignored";
    const now = clock();
    if (type === "connect") {
      if (!this.#strangers.admits(address, now)) return "ignored";
      const answer = beginUdpAnswer(packet, "connect", udpLengths.connect, memory);
      this.#ids.write(answer, udpAnswerAt.connectionId, address, now);
      return answer;
    }
    const verdict = this.#ids.check(packet, address, now);
    if (verdict === "valid") return type;
    if (verdict === "forged" || packet.length < udpLengths.announce) return "ignored";
    if (!this.#strangers.admits(address, now)) return "ignored";
    return encodeUdpError(packet, "connection id expired", memory);
  }
}
