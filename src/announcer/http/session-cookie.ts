/**
 * The cookie of a browser's session. Scripts cannot read it, other sites cannot have it sent, and
 * over HTTPS no other host and no plain connection can have set it (`__Host-`, RFC 6265bis).
 */
import type { IncomingHttpHeaders } from "node:http";

/** The session's text in `headers`, if it is there. `isEncrypted`: the request came over HTTPS. */
export function sessionTextIn(
  headers: IncomingHttpHeaders,
  isEncrypted: boolean,
): string | undefined {
  const wanted = cookieName(isEncrypted);
  for (const pair of headers.cookie?.split(";") ?? []) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === wanted) return value;
  }
  return undefined;
}

/** The header `Set-Cookie` that begins a session. Browsers forget it with the last window. */
export function sessionCookie(text: string, isEncrypted: boolean): string {
  const secure = isEncrypted ? "; Secure" : "";
  return `${cookieName(isEncrypted)}=${text}; Path=/; HttpOnly; SameSite=Strict${secure}`;
}

/** The header `Set-Cookie` that takes the cookie away. */
export function endedCookie(isEncrypted: boolean): string {
  return `${sessionCookie("", isEncrypted)}; Max-Age=0`;
}

function cookieName(isEncrypted: boolean): string {
  return isEncrypted ? "__Host-btpublisher" : "btpublisher";
}
