/**
 * What the Tracker answers to a peer that asks for a ticket. Besides the ticket it tells what that
 * peer needs to judge others: with which key the Tracker signs, what time it is there, and the proof
 * that a SourceNode will give for this ticket (S10). A SourceNode shows no ticket of its own: it is reached at
 * addresses that it need not know; but who knows the proof was told the secret by the Tracker.
 * Bencoded: `k` the key, `n` the time in seconds, `p` the proof, `t` the ticket.
 */
import { fromHex, toHex } from "../../base/bytes.ts";
import { fail, ok, type Result } from "../../base/errors.ts";
import type { UnixMillis } from "../../base/units.ts";
import { decodeBencode } from "../bencode/decode.ts";
import { encodeBencode } from "../bencode/encode.ts";
import { BencodeDictionary } from "../bencode/value.ts";
import { MAX_TICKET_LENGTH } from "./ticket.ts";

/** A ticket, and what its holder judges others by. */
export interface TicketAnswer {
  readonly ticket: Uint8Array;
  /** 64 hexadecimal digits. */
  readonly publicKey: string;
  /** What a SourceNode answers to whoever shows this ticket; 32 bytes. */
  readonly sourceProof: Uint8Array;
  /** The Tracker's clock. */
  readonly now: UnixMillis;
}

/** Longest answer that is read. */
export const MAX_TICKET_ANSWER_LENGTH = MAX_TICKET_LENGTH + 256;
const KEY_BYTES = 32;

/** The body of the answer. */
export function encodeTicketAnswer(answer: TicketAnswer): Uint8Array {
  const { ticket, publicKey, sourceProof, now } = answer;
  return encodeBencode({
    k: fromHex(publicKey) ?? new Uint8Array(0),
    n: Math.floor(now / 1000),
    p: sourceProof,
    t: ticket,
  });
}

/** The answer of a body; anything but a whole one is malformed. */
export function parseTicketAnswer(body: Uint8Array): Result<TicketAnswer, "malformed"> {
  const decoded = decodeBencode(body, { maxDepth: 2, maxTokens: 50 });
  const fields =
    decoded.ok && decoded.value instanceof BencodeDictionary ? decoded.value : undefined;
  const key = fields?.getBytes("k");
  const seconds = fields?.getInteger("n");
  const sourceProof = fields?.getBytes("p");
  const ticket = fields?.getBytes("t");
  const isWhole = key?.length === KEY_BYTES && sourceProof?.length === KEY_BYTES;
  if (!isWhole || seconds === undefined || ticket === undefined) {
    return fail("malformed", "not an answer of a ticket desk");
  }
  return ok({ ticket, publicKey: toHex(key), sourceProof, now: seconds * 1000 });
}
