/** The key in an announce URL: what stands behind `/announce/`, the same through every door. */
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
