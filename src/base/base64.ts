/** Base64 (RFC 4648, section 4) for the pure core, which has no platform's. Strict: padded, canonical. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The base64 of `bytes`. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const bits = (a << 16) | (b << 8) | c;
    for (const shift of [18, 12, 6, 0]) text += ALPHABET.charAt((bits >> shift) & 63);
  }
  const padding = (3 - (bytes.length % 3)) % 3;
  return text.slice(0, text.length - padding) + "=".repeat(padding);
}

/** The bytes of `text`; undefined unless it is just what `toBase64` makes of them. */
export function parseBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const digits = text.replace(/=+$/, "");
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  for (let i = 0, at = 0; i < digits.length; i++) {
    bits = ((bits << 6) | ALPHABET.indexOf(digits.charAt(i))) & 0xffffff;
    // After digit i there are 6 × (i + 1) bits, of which 8 × at went into bytes.
    const left = 6 * (i + 1) - 8 * at;
    if (left >= 8) bytes[at++] = (bits >> (left - 8)) & 0xff;
  }
  return toBase64(bytes) === text ? bytes : undefined;
}
