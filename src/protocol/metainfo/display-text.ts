/**
 * Text of strangers made harmless: whatever bytes come in, no control character (a terminal obeys
 * them) and no invisible or direction-changing one (it makes a name look like another) comes out.
 */
import { parseUtf8 } from "../../base/bytes.ts";

/**
 * Invisible characters and those that change the writing direction; libtorrent's list, so that
 * names come out as they do there.
 */
export const deceptiveCharacters =
  /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g;

/** A comment and the like in at most `maxBytes` of `bytes`; newlines and tabs stay. */
export function displayText(bytes: Uint8Array, maxBytes: number): string {
  return decodeText(bytes.subarray(0, cutAt(bytes, maxBytes)))
    .replace(deceptiveCharacters, "")
    .replace(/\r\n?/g, "\n")
    .replace(/(?![\n\t])\p{Cc}/gu, "_");
}

/** A name as a message shows it: in quotes, cut, and with escapes for what cannot be seen. */
export function quoteName(name: string): string {
  const shown = name.length > 200 ? `${name.slice(0, 200)}...` : name;
  return JSON.stringify(shown).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  );
}

/**
 * The text of `bytes`, with `_` for each sequence that is not UTF-8. Overlong forms are such: no
 * dot or slash comes of them.
 */
export function decodeText(bytes: Uint8Array): string {
  return parseUtf8(bytes) ?? decodeBrokenText(bytes);
}

/** How many bytes a broken sequence takes along is libtorrent's choice, again for equal names. */
function decodeBrokenText(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes[i] as number);
    text += parseUtf8(bytes.subarray(i, i + length)) ?? "_";
    i += length;
  }
  return text;
}

/** Length of the sequence that `lead` announces, also in UTF-8's old form of up to 6 bytes. */
function sequenceLength(lead: number): number {
  const ones = Math.clz32(~(lead << 24));
  return ones >= 2 && ones <= 6 ? ones : 1;
}

/** The last offset, at most `maxBytes`, that does not cut a character. */
function cutAt(bytes: Uint8Array, maxBytes: number): number {
  if (bytes.length <= maxBytes) return bytes.length;
  let end = maxBytes;
  while (end > 0 && (bytes[end] as number) >> 6 === 2) end--;
  return end;
}
