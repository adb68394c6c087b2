/**
 * Tickets: what our own peers show each other and a SourceNode in the extension handshake (`btp_ticket`)
 * of a torrent that only they may have. The Tracker signs that a peer, at an address, may have a torrent for some
 * minutes. A ticket is bencoded: `c` the claims, themselves bencoded, `s` the signature over them.
 */
import { equalBytes, infoHashBytes, latin1Bytes } from "../../base/bytes.ts";
import { fail, ok, type Result } from "../../base/errors.ts";
import type { IpBytes } from "../../base/ip-address.ts";
import type { InfoHash, Millis, UnixMillis } from "../../base/units.ts";
import { decodeBencode } from "../bencode/decode.ts";
import { encodeBencode } from "../bencode/encode.ts";
import { BencodeDictionary } from "../bencode/value.ts";

/** What a ticket says. */
export interface TicketClaims {
  readonly infoHash: InfoHash;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly address: IpBytes;
  /** Whose account it is: a stable name without a secret. */
  readonly principal: string;
  readonly expiresAt: UnixMillis;
}

/** Why a ticket does not let in. */
export type TicketFault = "missing" | "malformed" | "expired" | "of-another" | "unsigned";

/** Longest ticket that is looked at; a real one has about 230 bytes. */
export const MAX_TICKET_LENGTH = 1024;
/** Whether `signature` over `bytes` was made with the Tracker's key: 64 hexadecimal digits. */
export type VerifyTicket = (publicKey: string, bytes: Uint8Array, signature: Uint8Array) => boolean;

/** Clocks of our own machines differ by less. */
const LEEWAY_MS = 60_000;

/** The bytes to sign. */
export function encodeTicketClaims(claims: TicketClaims): Uint8Array {
  const { infoHash, peerId, address, principal, expiresAt } = claims;
  return encodeBencode({
    a: address,
    e: Math.floor(expiresAt / 1000),
    h: infoHashBytes(infoHash),
    p: peerId,
    u: latin1Bytes(principal),
  });
}

/** A ticket of signed claims. */
export function encodeTicket(claims: Uint8Array, signature: Uint8Array): Uint8Array {
  return encodeBencode({ c: claims, s: signature });
}

/** Whom a ticket must be for, when, and which key it must be signed with. */
export type ExpectedTicket = Omit<TicketClaims, "principal" | "expiresAt"> & {
  readonly now: UnixMillis;
  readonly publicKey: string;
};

/**
 * For how long `ticket` lets in, in milliseconds from now, or why it does not. All of it is checked,
 * whatever is found, so that the time tells nothing (EXT-24).
 */
export function checkTicket(
  ticket: Uint8Array | undefined,
  expected: ExpectedTicket,
  verify: VerifyTicket,
): Result<Millis, TicketFault> {
  if (ticket === undefined) return refuse("missing");
  const outer = ticket.length > MAX_TICKET_LENGTH ? undefined : dictionaryOf(ticket);
  const claims = outer?.getBytes("c");
  const signature = outer?.getBytes("s");
  const inner = claims === undefined ? undefined : dictionaryOf(claims);
  if (claims === undefined || signature === undefined || inner === undefined) {
    return refuse("malformed");
  }
  const isSigned = verify(expected.publicKey, claims, signature);
  const isTheirs =
    isEqual(inner.getBytes("h"), infoHashBytes(expected.infoHash)) &&
    isEqual(inner.getBytes("p"), expected.peerId) &&
    isEqual(inner.getBytes("a"), expected.address);
  const leftMs = (inner.getInteger("e") ?? 0) * 1000 + LEEWAY_MS - expected.now;
  if (!isSigned) return refuse("unsigned");
  if (!isTheirs) return refuse("of-another");
  return leftMs > 0 ? ok(leftMs) : refuse("expired");
}

function refuse(fault: TicketFault): Result<never, TicketFault> {
  return fail(fault, `the ticket is ${fault}`);
}

function dictionaryOf(bytes: Uint8Array): BencodeDictionary | undefined {
  const decoded = decodeBencode(bytes, { maxDepth: 2, maxTokens: 50 });
  return decoded.ok && decoded.value instanceof BencodeDictionary ? decoded.value : undefined;
}

function isEqual(found: Uint8Array | undefined, expected: Uint8Array): boolean {
  return found !== undefined && equalBytes(found, expected);
}
