/**
 * Secrets out of texts: tokens, and passkeys in announce URLs. Whatever a program says or logs passes
 * here, so that no error message, event or URL in one gives a secret away (T12).
 */

/** Publish tokens, API tokens and set-up tokens. */
const TOKEN = /\b(btp[a-z]?_)[\w-]{16,}/g;
/** What stands behind the announce path of a tracker, also of another one's. */
const KEY_IN_URL = /\/(announce|scrape|ticket)(?:\.php)?\/[^\s/?#"'<>\\]+/g;
/** The same, as private trackers of the web have it. */
const KEY_IN_QUERY = /([?&](?:passkey|authkey|torrent_pass|token|access_token)=)[^&\s"'<>\\]+/gi;

/** `text` without the secrets in it. */
export function redactSecrets(text: string): string {
  return text
    .replace(TOKEN, "$1[redacted]")
    .replace(KEY_IN_URL, "/$1/[redacted]")
    .replace(KEY_IN_QUERY, "$1[redacted]");
}
