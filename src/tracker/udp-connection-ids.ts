/**
 * Connection ids of the UDP door (BEP 15): proof that an address receives what is sent to it. No
 * state for those who ask: an id is a keyed hash of the address and of the time, so it costs nothing
 * to hand out and cannot be made up (T1).
 *
 *     bytes 0-1   which tracker process made it (13 bits), and when (3 bits)
 *     bytes 2-7   SipHash of address and time
 */
import type { IpBytes } from "../base/ip-address.ts";
import { SipHash } from "../base/siphash.ts";
import type { Millis } from "../base/units.ts";

/** What an id is worth. */
export type ConnectionIdVerdict =
  | "valid"
  /** It was ours, too long ago or before a restart: its holder shall connect anew. */
  | "expired"
  /** Never ours for that address. */
  | "forged";

/** Ids change this often. */
const WINDOW_MS = 60_000;
/** Windows that an id is good for, beside the one it was made in: two minutes, as BEP 15 says. */
const VALID_WINDOWS = 2;
const WINDOW_BITS = 3;

export class UdpConnectionIds {
  readonly #sip: SipHash;
  /** Of this process: 1 … 8191, so that the protocol's magic number is nobody's. */
  readonly #instance: number;
  readonly #message = new Uint8Array(20);

  /** `secret`: 18 random bytes, new at every start. */
  constructor(secret: Uint8Array) {
    this.#sip = new SipHash(secret.subarray(0, 16));
    this.#instance = 1 + ((((secret[16] as number) << 8) | (secret[17] as number)) % 8191);
  }

  /** Writes the id of `address` at `at` of `packet`. */
  write(packet: Uint8Array, at: number, address: IpBytes, now: Millis): void {
    const window = windowOf(now);
    this.#hash(address, window);
    const head = (this.#instance << WINDOW_BITS) | (window & 7);
    const { high, low } = this.#sip;
    packet[at] = head >> 8;
    packet[at + 1] = head;
    packet[at + 2] = high >> 8;
    packet[at + 3] = high;
    for (let i = 0; i < 4; i++) packet[at + 4 + i] = low >> (24 - 8 * i);
  }

  /** Judges the id at the beginning of `packet`, which came from `address`. */
  check(packet: Uint8Array, address: IpBytes, now: Millis): ConnectionIdVerdict {
    const head = ((packet[0] as number) << 8) | (packet[1] as number);
    if (head >> WINDOW_BITS !== this.#instance) return "expired";
    const current = windowOf(now);
    const age = (current - head) & 7;
    this.#hash(address, current - age);
    const { high, low } = this.#sip;
    let difference = (packet[2] as number) ^ ((high >> 8) & 255);
    difference |= (packet[3] as number) ^ (high & 255);
    for (let i = 0; i < 4; i++) {
      difference |= (packet[4 + i] as number) ^ ((low >> (24 - 8 * i)) & 255);
    }
    if (difference !== 0) return "forged";
    return age <= VALID_WINDOWS ? "valid" : "expired";
  }

  #hash(address: IpBytes, window: number): void {
    const { length } = address;
    const message = this.#message;
    for (let i = 0; i < length; i++) message[i] = address[i] as number;
    for (let i = 0; i < 4; i++) message[length + i] = window >> (8 * i);
    this.#sip.hash(message, length + 4);
  }
}

function windowOf(now: Millis): number {
  return Math.floor(now / WINDOW_MS) | 0;
}
