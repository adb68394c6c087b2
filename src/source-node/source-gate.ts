/**
 * The gate before all doors of a SourceNode: keeps what the Tracker ordered about access, and has
 * whoever lost its admission put out within seconds.
 */
import { Admissions, type GuardedTorrent } from "../access/admissions.ts";
import { parseIp } from "../base/ip-address.ts";
import type { InfoHash, Millis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { AccessOrder } from "../protocol/control/access-values.ts";
import { checkTicket, type VerifyTicket } from "../protocol/wire/ticket.ts";
import type { TicketBearer, TicketGuard } from "../runtime/ticket-gate.ts";

/** What a gate checks tickets with, and answers them. */
export interface TicketSeals {
  readonly verify: VerifyTicket;
  /** The proof of a SourceNode for `ticket`; `secret` is what the Tracker told. */
  readonly prove: (secret: string, ticket: Uint8Array) => Uint8Array;
}

/** How often ended admissions are looked for. */
const SWEEP_MS: Millis = 10_000;

export class SourceGate {
  readonly #clock: Clock;
  readonly #seals: TicketSeals;
  readonly #admissions = new Admissions();
  /** Closes the links of those who are not admitted any more. */
  #putOut: () => void = () => {};
  #timer: Timer | undefined;

  constructor(clock: Clock, seals: TicketSeals) {
    this.#clock = clock;
    this.#seals = seals;
    this.#sweep();
  }

  /** Has `putOut` called whenever somebody may have lost its admission. */
  guard(putOut: () => void): void {
    this.#putOut = putOut;
  }

  /** Takes an order of the Tracker. */
  handleOrder(order: AccessOrder): void {
    if (this.#admissions.handleOrder(this.#clock.now(), order)) this.#putOut();
  }

  /** Whether `host` may have `torrent` through that door now. */
  admits(torrent: GuardedTorrent, host: string, door: "bittorrent" | "http"): boolean {
    return this.#admissions.admits(this.#clock.now(), torrent, host, door);
  }

  /** How tickets for a torrent are checked and answered; undefined: it needs none. */
  tickets(infoHash: InfoHash): TicketGuard | undefined {
    if (!this.#admissions.wantsTickets(infoHash)) return undefined;
    return {
      pass: undefined,
      check: (bearer, ticket) => this.#check(infoHash, bearer, ticket),
      prove: (ticket) => {
        const { sourceSecret } = this.#admissions;
        return sourceSecret === undefined ? undefined : this.#seals.prove(sourceSecret, ticket);
      },
    };
  }

  close(): void {
    this.#timer?.cancel();
  }

  #check(
    infoHash: InfoHash,
    { peerId, host }: TicketBearer,
    ticket: Uint8Array | undefined,
  ): Millis | undefined {
    const { ticketKey: publicKey } = this.#admissions;
    const address = parseIp(host);
    if (publicKey === undefined || address === undefined) return undefined;
    const expected = { infoHash, peerId, address, now: this.#clock.unixNow(), publicKey };
    const checked = checkTicket(ticket, expected, this.#seals.verify);
    return checked.ok ? checked.value : undefined;
  }

  #sweep(): void {
    this.#timer = this.#clock.setTimer(SWEEP_MS, () => {
      if (this.#admissions.sweep(this.#clock.now())) this.#putOut();
      this.#sweep();
    });
  }
}
