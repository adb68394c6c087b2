/**
 * What both sides of the UDP tracker protocol (BEP 15, BEP 41) agree on: where things lie in a
 * packet. All numbers are big endian.
 */

/** The connection id of a connect request, 0x41727101980: its upper and lower half. */
export const CONNECT_MAGIC_HIGH = 0x417;
/** See `CONNECT_MAGIC_HIGH`. */
export const CONNECT_MAGIC_LOW = 0x27101980;

/** What a packet asks for, or answers. */
export const udpActions = { connect: 0, announce: 1, scrape: 2, error: 3 } as const;

/** Events by their numbers. */
export const udpEvents = [undefined, "completed", "started", "stopped"] as const;

/** Bytes of requests; an announce may have options behind (BEP 41), a scrape its info hashes. */
export const udpLengths = { connect: 16, announce: 98, scrape: 16 } as const;

/** Where the fields of a request are. */
export const udpRequestAt = {
  connectionId: 0,
  action: 8,
  transactionId: 12,
  infoHash: 16,
  peerId: 36,
  downloaded: 56,
  left: 64,
  uploaded: 72,
  event: 80,
  ip: 84,
  key: 88,
  numWant: 92,
  port: 96,
  options: 98,
  hashes: 16,
} as const;

/** Where the fields of an answer are. */
export const udpAnswerAt = {
  action: 0,
  transactionId: 4,
  connectionId: 8,
  interval: 8,
  leeches: 12,
  seeds: 16,
  peers: 20,
  counts: 8,
  message: 8,
} as const;

/** Options of BEP 41. */
export const udpOptions = { end: 0, nop: 1, urlData: 2 } as const;
