/** Byte helpers that the pure core needs in place of platform classes (Buffer, TextEncoder). */
import type { InfoHash } from "./units.ts";

const HEX = "0123456789abcdef";

/** Lower-case hexadecimal of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15);
  return text;
}

/** Bytes of a hexadecimal string of either case; undefined when a digit is wrong or the length odd. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** The info hash as a key. @throws RangeError when `bytes` is not 20 bytes long. */
export function infoHashOf(bytes: Uint8Array): InfoHash {
  if (bytes.length !== 20) throw new RangeError(`info hash has ${bytes.length} bytes, not 20`);
  return toHex(bytes) as InfoHash;
}

/** The info hash in text of 40 hexadecimal digits of either case, or undefined. */
export function parseInfoHash(text: string): InfoHash | undefined {
  return /^[0-9a-fA-F]{40}$/.test(text) ? (text.toLowerCase() as InfoHash) : undefined;
}

/** The 20 bytes of an info hash. */
export function infoHashBytes(infoHash: InfoHash): Uint8Array {
  return fromHex(infoHash) as Uint8Array;
}

/** Whether two byte strings are equal. Not constant time: never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Order of raw bytes, as BEP 3 wants for dictionary keys: negative, 0 or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** One new array with all `parts` one after the other. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Bytes of a string whose characters are all below 256 (one byte each). */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The string with one character below 256 for each byte: a lossless map key for binary data. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    // Six times as fast as to spread them: engines take typed arrays as they are.
    text += Reflect.apply(String.fromCharCode, undefined, bytes.subarray(i, i + 8192));
  }
  return text;
}

/** UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD. */
export function utf8Bytes(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    let code = character.codePointAt(0) as number;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) {
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    } else {
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63));
      bytes.push(0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    }
  }
  return Uint8Array.from(bytes);
}

/** The text of `bytes`, or undefined when they are not strict UTF-8 (overlong, surrogate, cut). */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i] as number;
    const length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >> 4 === 14 ? 3 : 4;
    if (length === 4 && (lead < 0xf0 || lead > 0xf4)) return undefined;
    if (i + length > bytes.length) return undefined;
    let code = length === 1 ? lead : lead & (0xff >> (length + 1));
    for (let k = 1; k < length; k++) {
      const next = bytes[i + k] as number;
      if (next >> 6 !== 2) return undefined;
      code = (code << 6) | (next & 63);
    }
    const least = length === 3 ? 0x800 : length === 4 ? 0x10000 : 0;
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
    text += String.fromCodePoint(code);
    i += length;
  }
  return text;
}

/** Copies all of `source` into `target` from index `at` on. */
export type CopyBytes = (source: Uint8Array, target: Uint8Array, at: number) => void;

/** `CopyBytes` in plain JavaScript; into shared memory a platform may have a faster way. */
export const copyBytes: CopyBytes = (source, target, at) => target.set(source, at);
