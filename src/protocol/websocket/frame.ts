/** What both directions of WebSocket frames share (RFC 6455, section 5), and frames as a server writes them. */

/** What a frame is. */
export const opcodes = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** Why a connection is closed (RFC 6455, section 7.4.1). */
export const closeCodes = {
  normal: 1000,
  protocolError: 1002,
  unsupportedData: 1003,
  /** Of a close frame that names none; never sent. */
  noStatus: 1005,
  invalidPayload: 1007,
  policyViolation: 1008,
  tooBig: 1009,
} as const;

/** Bytes that a control frame holds at most. */
export const MAX_CONTROL_LENGTH = 125;
/** The last fragment, or the only one. */
export const FIN = 0x80;

/** The head of a whole frame of `length` bytes, without a mask: a server's. */
export function frameHead(opcode: number, length: number): readonly number[] {
  const first = FIN | opcode;
  if (length <= MAX_CONTROL_LENGTH) return [first, length];
  if (length < 2 ** 16) return [first, 126, length >> 8, length & 255];
  const bytes = [24, 16, 8, 0].map((shift) => (length >>> shift) & 255);
  return [first, 127, 0, 0, 0, 0, ...bytes];
}

/** A control frame. `payload` is cut to what it may hold. */
export function controlFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const length = Math.min(payload.length, MAX_CONTROL_LENGTH);
  const frame = new Uint8Array(2 + length);
  frame.set(frameHead(opcode, length));
  frame.set(payload.subarray(0, length), 2);
  return frame;
}

/** A close frame that says why; `reason` is ASCII, in at most 123 bytes. */
export function closeFrame(code: number, reason: string): Uint8Array {
  const text = reason.slice(0, MAX_CONTROL_LENGTH - 2);
  const payload = new Uint8Array(2 + text.length);
  payload[0] = code >> 8;
  payload[1] = code;
  for (let i = 0; i < text.length; i++) payload[2 + i] = text.charCodeAt(i);
  return controlFrame(opcodes.close, payload);
}

/** Whether a peer may close with `code`: what RFC 6455 names, and what is left to libraries and programs. */
export function isCloseCode(code: number): boolean {
  const isNamed = code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
  return isNamed || (code >= 3000 && code <= 4999);
}
