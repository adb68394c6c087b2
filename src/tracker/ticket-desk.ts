/**
 * Where our own peers get their tickets: `GET /ticket/KEY?h=INFO-HASH&p=PEER-ID`, both in hexadecimal.
 * Whoever may announce gets one, for the address that it comes from.
 */
import { fromHex, parseInfoHash } from "../base/bytes.ts";
import type { IpBytes } from "../base/ip-address.ts";
import type { UnixMillis } from "../base/units.ts";
import { encodeTicket, encodeTicketClaims } from "../protocol/wire/ticket.ts";
import { encodeTicketAnswer } from "../protocol/wire/ticket-answer.ts";
import type { AnnounceAccess } from "./announce-access.ts";

/** Where the desk is. */
export const TICKET_PREFIX = "/ticket";

/** How long a ticket is good. */
export const TICKET_LIFE_MS = 15 * 60_000;

/** What the Tracker signs with, and proves by. */
export interface TicketSigner {
  /** 64 hexadecimal digits. */
  readonly publicKey: string;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** What a SourceNode answers to `ticket`. */
  readonly sourceProof: (ticket: Uint8Array) => Uint8Array;
}

/** What the desk works with. */
export interface TicketDeskDependencies {
  readonly access: AnnounceAccess;
  readonly signer: TicketSigner;
  readonly unixNow: () => UnixMillis;
}

const TARGET = /^\/ticket\/([\w-]{1,128})\?h=([0-9a-f]{40})&p=([0-9a-f]{40})$/;

export class TicketDesk {
  readonly #dependencies: TicketDeskDependencies;
  /** Since the start. */
  readonly counters = { issued: 0, refused: 0 };

  constructor(dependencies: TicketDeskDependencies) {
    this.#dependencies = dependencies;
  }

  /** The answer to whoever asks by `target` from `address`; undefined: there is no ticket for it. */
  issue(target: string, address: IpBytes): Uint8Array | undefined {
    const answer = this.#answer(target, address);
    this.counters[answer === undefined ? "refused" : "issued"]++;
    return answer;
  }

  #answer(target: string, address: IpBytes): Uint8Array | undefined {
    const { access, signer, unixNow } = this.#dependencies;
    const [, key, hash = "", id = ""] = TARGET.exec(target) ?? [];
    const infoHash = parseInfoHash(hash);
    const peerId = fromHex(id);
    if (infoHash === undefined || peerId === undefined) return undefined;
    const decision = access.decide(infoHash, key, { address, peerId });
    if (decision.type === "denied" || decision.principal === undefined) return undefined;
    const { principal } = decision;
    const now = unixNow();
    const expiresAt = now + TICKET_LIFE_MS;
    const claims = encodeTicketClaims({ infoHash, peerId, address, principal, expiresAt });
    const ticket = encodeTicket(claims, signer.sign(claims));
    const { publicKey } = signer;
    return encodeTicketAnswer({ ticket, publicKey, sourceProof: signer.sourceProof(ticket), now });
  }
}
