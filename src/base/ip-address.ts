/**
 * IP addresses and networks as bytes (4 or 16) and as text, strictly read and canonically written
 * (RFC 5952). An IPv4-mapped IPv6 address is the IPv4 address everywhere: one host, one form.
 */

/** 4 bytes (IPv4) or 16 bytes (IPv6, never IPv4-mapped), in network order. */
export type IpBytes = Uint8Array;

/** The bytes of an address in text, without brackets, port or zone; undefined when it is none. */
export function parseIp(text: string): IpBytes | undefined {
  // The longest text of an address: 6 groups and a dotted quad.
  if (text.length > 45) return undefined;
  if (!text.includes(":")) return parseIpv4(text);
  const bytes = parseIpv6(text);
  return bytes === undefined ? undefined : unmapped(bytes);
}

/** The canonical text of `bytes`. */
export function formatIp(bytes: IpBytes): string {
  return bytes.length === 4 ? bytes.join(".") : formatIpv6(bytes);
}

/**
 * The canonical text of an address as a socket tells it (IPv4-mapped, with a zone); undefined when
 * it is no address, as for a socket that is closed already.
 */
export function canonicalIp(socketAddress: string | undefined): string | undefined {
  const bytes = parseSocketIp(socketAddress);
  return bytes === undefined ? undefined : formatIp(bytes);
}

/** The bytes of an address as a socket tells it; undefined when it is none. */
export function parseSocketIp(socketAddress: string | undefined): IpBytes | undefined {
  if (socketAddress === undefined) return undefined;
  const zoneAt = socketAddress.indexOf("%");
  return parseIp(zoneAt < 0 ? socketAddress : socketAddress.slice(0, zoneAt));
}

/** Whether the address means this very machine: 127.0.0.0/8 or ::1. */
export function isLoopbackIp(bytes: IpBytes): boolean {
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
}

/** A network, such as 10.0.0.0/8. */
export interface IpNetwork {
  readonly address: IpBytes;
  /** Leading bits that an address must share with `address`. */
  readonly prefixLength: number;
}

/** A network in CIDR notation; a bare address is a network of one. Undefined when it is neither. */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [host = "", prefix, ...rest] = text.split("/");
  const address = parseIp(host);
  if (address === undefined || rest.length > 0) return undefined;
  if (prefix === undefined) return { address, prefixLength: address.length * 8 };
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > address.length * 8) return undefined;
  return { address, prefixLength: Number(prefix) };
}

/** Whether `network` holds `address`. Never across families. */
export function networkHolds(network: IpNetwork, address: IpBytes): boolean {
  if (network.address.length !== address.length) return false;
  for (let i = 0; i * 8 < network.prefixLength; i++) {
    const bits = Math.min(8, network.prefixLength - i * 8);
    const difference = (network.address[i] as number) ^ (address[i] as number);
    if (difference >> (8 - bits) !== 0) return false;
  }
  return true;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  return readIpv4(text, bytes) ? bytes : undefined;
}

/**
 * Reads a dotted quad into the first 4 bytes of `target`; false when `text` is none, and `target`
 * is half written. For places where every datagram brings one.
 */
export function readIpv4(text: string, target: Uint8Array): boolean {
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0 || value > 255 || part === 4) return false;
      target[part++] = value;
      digits = 0;
      value = 0;
    } else {
      const digit = code - 0x30;
      // No leading zero: some readers take it for octal, and then two hosts share one text.
      if (digit < 0 || digit > 9 || digits === 3 || (digits > 0 && value === 0)) return false;
      value = 10 * value + digit;
      digits++;
    }
  }
  return part === 4;
}

const DOT = 0x2e;

function parseIpv6(text: string): Uint8Array | undefined {
  const [head = "", tail, ...rest] = text.split("::");
  if (rest.length > 0) return undefined;
  const front = parseGroups(head, tail === undefined);
  const back = tail === undefined ? [] : parseGroups(tail, true);
  if (front === undefined || back === undefined) return undefined;
  const length = front.length + back.length;
  // "::" stands for at least one group.
  if (tail === undefined ? length !== 16 : length > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(front);
  bytes.set(back, 16 - back.length);
  return bytes;
}

/** Bytes of groups with colons between; only the address's end (`isEnd`) may be a dotted quad. */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (isEnd && i === groups.length - 1 && group.includes(".")) {
      const quad = parseIpv4(group);
      if (quad === undefined) return undefined;
      bytes.push(...quad);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    }
  }
  return bytes;
}

/** ::ffff:a.b.c.d as a.b.c.d. */
function unmapped(bytes: Uint8Array): Uint8Array {
  const isMapped = bytes.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 255));
  return isMapped ? bytes.slice(12) : bytes;
}

function formatIpv6(bytes: Uint8Array): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) {
    groups.push((((bytes[i] as number) << 8) | (bytes[i + 1] as number)).toString(16));
  }
  const gap = longestZeroRun(groups);
  if (gap.length < 2) return groups.join(":");
  const front = groups.slice(0, gap.start).join(":");
  const back = groups.slice(gap.start + gap.length).join(":");
  return `${front}::${back}`;
}

/** The longest run of zero groups, the first of several. */
function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [i, group] of groups.entries()) {
    if (group !== "0") start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  }
  return best;
}
