/**
 * Where our own peers get their tickets: `GET /ticket/KEY?h=INFO-HASH&p=PEER-ID`, both in hexadecimal.
 * Whoever may announce gets one, for the address that it comes from.
 */
import { fromHex, parseInfoHash } from "../base/bytes.ts";
import type { IpBytes } from "../base/ip-address.ts";
import type { UnixMillis } from "../base/units.ts";
import { encodeTicket, encodeTicketClaims } from "../protocol/wire/ticket.ts";
import type { AnnounceAccess } from "./announce-access.ts";

/** Where the desk is. */
export const TICKET_PREFIX = "/ticket";

/** How long a ticket is good. */
export const TICKET_LIFE_MS = 15 * 60_000;

/** What the desk works with. */
export interface TicketDeskDependencies {
  readonly access: AnnounceAccess;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  readonly unixNow: () => UnixMillis;
}

const TARGET = /^\/ticket\/([\w-]{1,128})\?h=([0-9a-f]{40})&p=([0-9a-f]{40})$/;

export class TicketDesk {
  readonly #dependencies: TicketDeskDependencies;

  constructor(dependencies: TicketDeskDependencies) {
    this.#dependencies = dependencies;
  }

  /** A ticket for whoever asks by `target` from `address`; undefined: none. */
  issue(target: string, address: IpBytes): Uint8Array | undefined {
    const { access, sign, unixNow } = this.#dependencies;
    const [, key, hash = "", id = ""] = TARGET.exec(target) ?? [];
    const infoHash = parseInfoHash(hash);
    const peerId = fromHex(id);
    if (infoHash === undefined || peerId === undefined) return undefined;
    const decision = access.decide(infoHash, key, { address, peerId });
    if (decision.type === "denied" || decision.principal === undefined) return undefined;
    const { principal } = decision;
    const expiresAt = unixNow() + TICKET_LIFE_MS;
    const claims = encodeTicketClaims({ infoHash, peerId, address, principal, expiresAt });
    return encodeTicket(claims, sign(claims));
  }
}
