/**
 * Messages of the `ut_metadata` extension (BEP 9), with which a peer that has only an info hash
 * gets the info dictionary, in pieces of 16 KiB.
 */
import { concatBytes } from "../../base/bytes.ts";
import { decodeBencodePrefix } from "../bencode/decode.ts";
import { encodeBencode } from "../bencode/encode.ts";
import { BencodeDictionary } from "../bencode/value.ts";

/** Bytes of every metadata piece but the last. */
export const METADATA_PIECE_LENGTH = 16 * 1024;

/** Longest info dictionary that we fetch: as long as the longest .torrent that we read. */
export const MAX_METADATA_LENGTH = 10_000_000;

/** A message of the extension. */
export type MetadataMessage =
  | { readonly type: "request"; readonly piece: number }
  | {
      readonly type: "data";
      readonly piece: number;
      /** Bytes of the whole info dictionary. */
      readonly totalSize: number;
      /** A view of the payload; its length is as the peer made it. */
      readonly data: Uint8Array;
    }
  | { readonly type: "reject"; readonly piece: number };

/** A message that no peer in good faith sends: the connection should be closed. */
export interface MalformedMetadataMessage {
  readonly type: "malformed";
}

const messageTypes = { request: 0, data: 1, reject: 2 } as const;

/** The payload of the extended message. */
export function encodeMetadataMessage(message: MetadataMessage): Uint8Array {
  const head = { msg_type: messageTypes[message.type], piece: message.piece };
  if (message.type !== "data") return encodeBencode(head);
  return concatBytes([encodeBencode({ ...head, total_size: message.totalSize }), message.data]);
}

/** What a peer's payload says; undefined for a type of a later version, which BEP 9 wants ignored. */
export function parseMetadataMessage(
  payload: Uint8Array,
): MetadataMessage | MalformedMetadataMessage | undefined {
  const decoded = decodeBencodePrefix(payload, { maxDepth: 8, maxTokens: 100 });
  if (!decoded.ok || !(decoded.value.value instanceof BencodeDictionary)) return malformed;
  const { value: dictionary, end } = decoded.value;
  const piece = dictionary.getInteger("piece");
  const messageType = dictionary.getInteger("msg_type");
  switch (messageType) {
    case messageTypes.request:
      return isPiece(piece) ? { type: "request", piece } : malformed;
    case messageTypes.reject:
      return isPiece(piece) ? { type: "reject", piece } : malformed;
    case messageTypes.data: {
      const totalSize = dictionary.getInteger("total_size") ?? 0;
      const data = payload.subarray(end);
      const isInside = isPiece(piece) && piece * METADATA_PIECE_LENGTH < totalSize;
      if (!isInside || totalSize > MAX_METADATA_LENGTH || data.length === 0) return malformed;
      return { type: "data", piece, totalSize, data };
    }
    default:
      return undefined;
  }
}

const malformed: MalformedMetadataMessage = { type: "malformed" };

/** Whether an info dictionary can have a piece of that number. */
function isPiece(piece: number | undefined): piece is number {
  return piece !== undefined && piece >= 0 && piece * METADATA_PIECE_LENGTH < MAX_METADATA_LENGTH;
}
