/** The bytes that bencoding is made of (BEP 3), and the limits that both directions keep. */

/** `i`, before an integer. */
export const INTEGER = 0x69;
/** `l`, before a list. */
export const LIST = 0x6c;
/** `d`, before a dictionary. */
export const DICTIONARY = 0x64;
/** `e`, after an integer, a list or a dictionary. */
export const END = 0x65;
/** `:`, between a string's length and its bytes. */
export const COLON = 0x3a;
/** `-`, before the digits of a negative integer. */
export const MINUS = 0x2d;
/** `0`, the first digit. */
export const ZERO = 0x30;

/** Lists and dictionaries that may be open at once; libtorrent's limit. */
export const MAX_DEPTH = 100;

/** Digits of an integer: 2^64 − 1, the largest that anybody writes, has 20. */
export const MAX_INTEGER_DIGITS = 20;

/** Whether `byte` is one of `0` … `9`. */
export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39;
}
