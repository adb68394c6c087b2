/** What the Tracker and a thread of its UDP door say to each other, and how records are tagged. */
import type { IpBytes } from "../../base/ip-address.ts";

/** What a thread is started with. */
export interface UdpThreadData {
  readonly host: string | undefined;
  readonly port: number;
  /** Of connection ids: the same in all threads. */
  readonly secret: Uint8Array;
  readonly maxStrangersPerSecond: number;
  /** Ring of what the Tracker is to answer: the sender's address in `ADDRESS_ROOM` bytes, then the packet. */
  readonly requests: SharedArrayBuffer;
  /** Ring of answers, with the tags of their requests. */
  readonly answers: SharedArrayBuffer;
  /** Numbers at the places of `UDP_COUNTS`. */
  readonly counts: SharedArrayBuffer;
}

/** `wake`: the reader at the other end slept, and there is something for it. */
export type UdpThreadMessage = "open" | "wake" | { readonly error: string };

/** Where a thread counts what the Tracker never sees. */
export const UDP_COUNTS = { connect: 0, ignored: 1 } as const;

/** Bytes before a packet: an address, then nothing, so that packets lie at multiples of 8. */
export const ADDRESS_ROOM = 16;

/** The tag of a request: `number` below 2^29, what it asks, and the family of its sender. */
export function tagOf(number: number, type: "announce" | "scrape", address: IpBytes): number {
  return (number << 2) | (type === "scrape" ? 2 : 0) | (address.length === 4 ? 0 : 1);
}

/** What a tagged request asks. */
export function typeOfTag(tag: number): "announce" | "scrape" {
  return (tag & 2) === 0 ? "announce" : "scrape";
}

/** Whether a tagged request came over IPv6. */
export function isIpv6Tag(tag: number): boolean {
  return (tag & 1) === 1;
}
