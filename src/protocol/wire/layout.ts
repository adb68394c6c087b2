/**
 * Numbers of the peer protocol: message ids, lengths and the limits that we set.
 *
 * A message is a 4-byte length (of what follows), a 1-byte id, and a body whose layout the id
 * names. Length 0 without an id is a keep-alive.
 * @see BEP 3, BEP 5 (port), BEP 6 (13 … 17), BEP 10 (extended)
 */

/** Message ids. */
export const messageIds = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
} as const;

/** Bytes before the id. */
export const LENGTH_PREFIX_LENGTH = 4;

/** A whole `request`, `cancel` or `reject`: prefix, id, pieceIndex, begin, length. */
export const REQUEST_LENGTH = 17;

/** What precedes a block's payload: prefix, id, pieceIndex, begin. */
export const PIECE_HEADER_LENGTH = 13;

/** Longest block that may be requested or sent: no client in use asks for more. */
export const MAX_BLOCK_LENGTH = 128 * 1024;

/** Bytes of a bitfield of 2^21 pieces, the most that a .torrent of ours or others may have. */
export const MAX_BITFIELD_LENGTH = 2 ** 21 / 8;

/** Largest value of a length prefix. Only extended messages (metadata, peer exchange) come near. */
export const MAX_MESSAGE_LENGTH = 1024 * 1024;

/** Payload of an extension handshake; real ones have a few hundred bytes. */
export const MAX_EXTENSION_HANDSHAKE_LENGTH = 64 * 1024;
