/**
 * Secrets out of texts: tokens, and passkeys in announce URLs. Whatever a program says or logs passes
 * here, so that no error message, event or URL in one gives a secret away (T12).
 */

/** Publish tokens, API tokens and set-up tokens. */
const TOKEN = /\b(btp[a-z]?_)[\w-]{16,}/g;
/**
 * What stands behind the announce path of a tracker, also of another one's, and in a magnet link.
 * Keys are long and have no dot: a file below a folder of that name is none.
 */
const KEY_IN_URL = /(\/|%2F)(announce|scrape|ticket)(\.php)?(\/|%2F)[\w-]{16,}(?![\w.-])/gi;
/** The same in a query, as private trackers of the web have it. */
const KEY_IN_QUERY =
  /((?:[?&]|%3F|%26)(?:passkey|authkey|torrent_pass|token|access_token)(?:=|%3D))[^&%\s"'<>\\]+/gi;

/** `text` without the secrets in it. */
export function redactSecrets(text: string): string {
  return text
    .replace(TOKEN, "$1[redacted]")
    .replace(KEY_IN_URL, "$1$2$3$4[redacted]")
    .replace(KEY_IN_QUERY, "$1[redacted]");
}
