/** Peer messages to bytes (BEP 3, 5, 6, 10). Layouts and ids are in layout.ts. */
import { assertNever } from "../../base/assert.ts";
import type { BlockRef } from "../metainfo/piece-geometry.ts";
import { writeUint16, writeUint32 } from "./big-endian.ts";
import { messageIds, REQUEST_LENGTH } from "./layout.ts";
import type { PeerMessage } from "./message.ts";

/** The bytes of `message`, length prefix included. */
export function encodeMessage(message: PeerMessage): Uint8Array {
  switch (message.type) {
    case "keep-alive":
      return new Uint8Array(4);
    case "choke":
      return frame(messageIds.choke, 0);
    case "unchoke":
      return frame(messageIds.unchoke, 0);
    case "interested":
      return frame(messageIds.interested, 0);
    case "not-interested":
      return frame(messageIds.notInterested, 0);
    case "have":
      return indexFrame(messageIds.have, message.pieceIndex);
    case "bitfield":
      return bytesFrame(messageIds.bitfield, message.bytes);
    case "have-all":
      return frame(messageIds.haveAll, 0);
    case "have-none":
      return frame(messageIds.haveNone, 0);
    case "cancel":
      return blockFrame(messageIds.cancel, message.block);
    case "reject":
      return blockFrame(messageIds.reject, message.block);
    case "suggest":
      return indexFrame(messageIds.suggest, message.pieceIndex);
    case "allowed-fast":
      return indexFrame(messageIds.allowedFast, message.pieceIndex);
    case "port": {
      const bytes = frame(messageIds.port, 2);
      writeUint16(bytes, 5, message.port);
      return bytes;
    }
    case "extended": {
      const bytes = frame(messageIds.extended, 1 + message.payload.length);
      bytes[5] = message.id;
      bytes.set(message.payload, 6);
      return bytes;
    }
    default:
      return assertNever(message);
  }
}

/** All `request` messages for `blocks` in one array, 17 bytes each. */
export function encodeRequests(blocks: readonly BlockRef[]): Uint8Array {
  const bytes = new Uint8Array(REQUEST_LENGTH * blocks.length);
  let at = 0;
  for (const block of blocks) {
    writeBlockMessage(bytes, at, messageIds.request, block);
    at += REQUEST_LENGTH;
  }
  return bytes;
}

/** Writes the 13 bytes that precede the payload of `block` into `buffer` at `at`. */
export function writePieceHeader(buffer: Uint8Array, at: number, block: BlockRef): void {
  writeUint32(buffer, at, 9 + block.length);
  buffer[at + 4] = messageIds.piece;
  writeUint32(buffer, at + 5, block.pieceIndex);
  writeUint32(buffer, at + 9, block.begin);
}

/** A message with its prefix and id written and `bodyLength` bytes to fill from offset 5 on. */
function frame(id: number, bodyLength: number): Uint8Array {
  const bytes = new Uint8Array(5 + bodyLength);
  writeUint32(bytes, 0, 1 + bodyLength);
  bytes[4] = id;
  return bytes;
}

function bytesFrame(id: number, body: Uint8Array): Uint8Array {
  const bytes = frame(id, body.length);
  bytes.set(body, 5);
  return bytes;
}

function indexFrame(id: number, pieceIndex: number): Uint8Array {
  const bytes = frame(id, 4);
  writeUint32(bytes, 5, pieceIndex);
  return bytes;
}

function blockFrame(id: number, block: BlockRef): Uint8Array {
  const bytes = new Uint8Array(REQUEST_LENGTH);
  writeBlockMessage(bytes, 0, id, block);
  return bytes;
}

function writeBlockMessage(bytes: Uint8Array, at: number, id: number, block: BlockRef): void {
  writeUint32(bytes, at, 13);
  bytes[at + 4] = id;
  writeUint32(bytes, at + 5, block.pieceIndex);
  writeUint32(bytes, at + 9, block.begin);
  writeUint32(bytes, at + 13, block.length);
}
