/**
 * Numbers as people write them on the command line: sizes, rates, ports, durations.
 * A value out of range is a usage error (exit 64), never a default.
 */
import { InvalidArgumentError } from "commander";
import { isCommonPieceLength } from "../protocol/metainfo/limits.ts";

const MULTIPLIERS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A century: what is longer is a slip of the finger. */
const MAX_DURATION_MS = 36_525 * 86_400_000;

/** Bytes of `4096`, `64k` (decimal), `1.5Gi` (binary). @throws InvalidArgumentError */
export function parseSize(text: string): number {
  const bytes = sizeOf(text);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError(
    "Use bytes, or a number with k M G T or Ki Mi Gi Ti: 256Ki, 1.5G.",
  );
}

/** Bytes a second of `500k`, `2Mi`, `10M/s`, or bits as `100Mbit`. At least 1. */
export function parseRate(text: string): number {
  const bits = /^(.*[0-9])(|k|K|M|G)bit(?:\/s)?$/.exec(text);
  const bytes = bits === null ? sizeOf(text.replace(/\/s$/, "")) : bitsToBytes(bits);
  if (bytes !== undefined && bytes >= 1) return bytes;
  throw new InvalidArgumentError(
    "Use bytes a second as 500k, 2Mi, 10M, or bits as 100Mbit; leave it out for no limit.",
  );
}

/** A port to listen on: 0 (any free one) to 65535. @throws InvalidArgumentError */
export function parsePort(text: string): number {
  return parseInteger(text, { min: 0, max: 65535 });
}

/** Milliseconds of `90` (seconds), `90s`, `5m`, `2h`, `7d`. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  const parts = /^([0-9]+(?:\.[0-9]+)?)(|s|m|h|d)$/.exec(text);
  const seconds = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 }[parts?.[2] ?? "none"];
  const milliseconds = Math.round(Number(parts?.[1]) * (seconds ?? Number.NaN) * 1000);
  if (milliseconds <= MAX_DURATION_MS) return milliseconds;
  throw new InvalidArgumentError("Use seconds, or a number with s m h d: 90s, 2h.");
}

/**
 * An instant as ISO 8601 in UTC, of a day or a day and a time: of this machine's zone unless it names
 * one. @throws InvalidArgumentError
 */
export function parseInstant(text: string): string {
  const [, day, time = "T00:00"] =
    /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? [];
  // The 31st of February is no day, though dates can be made of it.
  const isDay = day !== undefined && JSON.stringify(new Date(`${day}T00:00Z`)).includes(day);
  const instant = Date.parse(isDay ? day + time : "");
  if (!Number.isNaN(instant)) return new Date(instant).toISOString();
  throw new InvalidArgumentError("Use a day, or a day and a time, as 2026-12-31T18:00.");
}

/** A whole number from `min` to `max`, both included. @throws InvalidArgumentError */
export function parseInteger(
  text: string,
  range: { readonly min: number; readonly max: number },
): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max) return value;
  throw new InvalidArgumentError(`Use a whole number from ${range.min} to ${range.max}.`);
}

/** A piece length that all clients read: a power of two. @throws InvalidArgumentError */
export function parsePieceLength(text: string): number {
  const bytes = sizeOf(text);
  if (bytes !== undefined && isCommonPieceLength(bytes)) return bytes;
  throw new InvalidArgumentError("Use a power of two from 16Ki to 64Mi: 256Ki, 4Mi.");
}

/** `host:port`, with an IPv6 address in brackets. @throws InvalidArgumentError */
export function parseHostPort(text: string): { readonly host: string; readonly port: number } {
  const [, inBrackets, name, port] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):([0-9]+)$/.exec(text) ?? [];
  const host = inBrackets ?? name;
  if (host !== undefined) return { host, port: parseInteger(port ?? "", { min: 1, max: 65535 }) };
  throw new InvalidArgumentError("Use HOST:PORT, as 192.0.2.1:6881 or [2001:db8::1]:6881.");
}

/** For options that may be given several times: all their values, each parsed by `parse`. */
export function collect<Value>(
  parse: (text: string) => Value,
): (text: string, before: readonly Value[] | undefined) => readonly Value[] {
  return (text, before = []) => [...before, parse(text)];
}

function sizeOf(text: string): number | undefined {
  const parts = /^([0-9]+(?:\.[0-9]+)?)([kKMGT]|[KMGT]i|)B?$/.exec(text);
  if (parts === null) return undefined;
  const bytes = Math.round(Number(parts[1]) * (MULTIPLIERS[parts[2] as string] as number));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function bitsToBytes(parts: RegExpExecArray): number | undefined {
  const bits = sizeOf(`${parts[1]}${parts[2]}`);
  return bits === undefined ? undefined : Math.floor(bits / 8);
}
