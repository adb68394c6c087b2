/** What a line carries besides payload. */

/**
 * Ethernet, IP and TCP headers of full segments are 66 bytes on 1,448; requests, acknowledgements
 * and short segments come on top. A limit above what is left for payload would never be met: the
 * line's own queue would be, where every connection waits behind every other.
 */
const HEADERS = 1.05;

/** Payload bytes per second that a line of `lineBytesPerSecond` has room for; undefined: no limit. */
export function payloadRate(lineBytesPerSecond: number | undefined): number | undefined {
  return lineBytesPerSecond === undefined ? undefined : lineBytesPerSecond / HEADERS;
}
