/**
 * URLs as the core needs them: strictly read, never normalised or resolved. Spellings that two
 * readers could take for different hosts (decimal and octal addresses, credentials, backslashes)
 * are refused, so that a check made here holds for whoever dials.
 */
import { latin1, latin1Bytes, utf8Bytes } from "./bytes.ts";
import { parseIp } from "./ip-address.ts";

/** The parts of a URL with an authority. A fragment never belongs to it. */
export interface UrlParts {
  /** In lower case, without the colon. */
  readonly scheme: string;
  readonly hasCredentials: boolean;
  /** A host name in lower case, or an IP address, an IPv6 one without its brackets. */
  readonly host: string;
  /** Undefined when the URL leaves it to the scheme. */
  readonly port: number | undefined;
  /** Empty, or from the slash on; still percent-encoded. */
  readonly path: string;
  /** Without the question mark; still percent-encoded. Undefined when there is none. */
  readonly query: string | undefined;
}

const urlPattern =
  /^([a-z][a-z0-9+.-]*):\/\/([^/?@]*@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?(\/[^?]*)?(?:\?(.*))?$/i;

/** The parts of `text`, or undefined when it is no absolute URL of a host, strictly written. */
export function parseUrl(text: string): UrlParts | undefined {
  // RFC 3986 has no other characters; a fragment stays with the one who reads it, not with us.
  if (!/^[!$-;=?-[\]_a-z~]+$/.test(text)) return undefined;
  const match = urlPattern.exec(text);
  if (match === null) return undefined;
  const [, scheme = "", credentials, authority = "", portText, path = "", query] = match;
  const host = parseHost(authority.toLowerCase());
  const port = portText === undefined ? undefined : Number(portText);
  if (host === undefined || port === 0 || (port ?? 0) > 65535) return undefined;
  return {
    scheme: scheme.toLowerCase(),
    hasCredentials: credentials !== undefined,
    host,
    port,
    path,
    query,
  };
}

function parseHost(text: string): string | undefined {
  if (text.startsWith("[")) {
    const address = text.slice(1, -1);
    return address.includes(":") && parseIp(address) !== undefined ? address : undefined;
  }
  const labels = text.split(".");
  if (labels.at(-1) === "") labels.pop();
  const isName = labels.every((label) => label.length > 0 && label.length < 64);
  if (!isName || labels.length === 0 || text.length > 253) return undefined;
  // Readers take a host that ends in a number for an IPv4 address, however it is spelt.
  const endsInNumber = /^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) as string);
  return endsInNumber && parseIp(text) === undefined ? undefined : text;
}

/** Percent-encodes all bytes but RFC 3986's unreserved characters. */
export function percentEncode(bytes: Uint8Array): string {
  return latin1(bytes).replace(/[^A-Za-z0-9._~-]/g, escapeByte);
}

/**
 * The bytes that `text` stands for: escapes decoded, other characters as UTF-8. Undefined when a
 * percent sign is not followed by two hexadecimal digits.
 */
export function percentDecode(text: string): Uint8Array | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  const characters = latin1(utf8Bytes(text));
  return latin1Bytes(
    characters.replace(/%(..)/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    ),
  );
}

/**
 * `text` with spaces, characters beyond ASCII and the like percent-encoded, as people leave them in
 * URLs. Control characters, backslashes and `#` stay, so that `parseUrl` refuses them.
 */
export function escapeUrl(text: string): string {
  return latin1(utf8Bytes(text)).replace(/[ "<>^`{|}\x80-\xff]/g, escapeByte);
}

function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
