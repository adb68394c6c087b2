/**
 * Whether a request that would change something was made by a page of another site. Browsers say so
 * in headers that no page can set; other programs say nothing, and have no cookie either.
 */
import type { IncomingMessage } from "node:http";

const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** `hasCookie`: the browser added something that proves who asks; then it has to say from where. */
export function isCrossSite({ method, headers }: IncomingMessage, hasCookie: boolean): boolean {
  if (SAFE.has(method ?? "")) return false;
  const site = headers["sec-fetch-site"];
  // `none`: by the person, not by a page. Older browsers say the origin only.
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const { origin } = headers;
  if (origin === undefined) return hasCookie;
  return hostOf(origin) !== headers.host?.toLowerCase();
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
