/** The key in an announce URL: what stands behind `/announce/`, the same through every door. */
import { latin1 } from "../../base/bytes.ts";
import { MAX_KEY_LENGTH } from "./announce.ts";

const KEYED = "/announce/";

/** Whether `text` can be a key at all; what cannot is denied before anybody looks for it (HTP-16). */
export function isKey(text: string): boolean {
  return text.length <= MAX_KEY_LENGTH && /^[\w-]+$/.test(text);
}

/**
 * The key in the path of an announce URL, query left out or not: undefined when there is none. What
 * is no path of an announce has no key.
 */
export function keyOfPath(path: string): string | undefined {
  if (!path.startsWith(KEYED)) return undefined;
  const end = path.indexOf("?", KEYED.length);
  return path.slice(KEYED.length, end < 0 ? path.length : end) || undefined;
}

/** A key where it lies, in a packet; good until the packet is answered. */
export class KeyBytes {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
}

/** The text of a key. */
export function textOfKey({ bytes, start, end }: KeyBytes): string {
  return latin1(bytes.subarray(start, end));
}
