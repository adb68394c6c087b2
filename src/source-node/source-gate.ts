/**
 * The gate before all doors of a SourceNode: keeps what the Tracker ordered about access, and has
 * whoever lost its admission put out within seconds.
 */
import { Admissions, type GuardedTorrent } from "../access/admissions.ts";
import { parseIp } from "../base/ip-address.ts";
import type { InfoHash, Millis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { AccessOrder } from "../protocol/control/access-values.ts";
import { findTicketFault } from "../protocol/wire/ticket.ts";
import type { TicketCheck } from "../runtime/ticket-gate.ts";

/** Checks a signature of the Tracker with the given key. */
export type VerifyTicket = (publicKey: string, bytes: Uint8Array, signature: Uint8Array) => boolean;

/** How often ended admissions are looked for. */
const SWEEP_MS: Millis = 10_000;

export class SourceGate {
  readonly #clock: Clock;
  readonly #verify: VerifyTicket;
  readonly #admissions = new Admissions();
  /** Closes the links of those who are not admitted any more. */
  #putOut: () => void = () => {};
  #timer: Timer | undefined;

  constructor(clock: Clock, verify: VerifyTicket) {
    this.#clock = clock;
    this.#verify = verify;
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

  /** How tickets for a torrent are checked; undefined: it needs none. */
  ticketCheck({ infoHash }: { readonly infoHash: InfoHash }): TicketCheck | undefined {
    if (!this.#admissions.wantsTickets(infoHash)) return undefined;
    return ({ peerId, host }, ticket) => {
      const { ticketKey } = this.#admissions;
      const address = parseIp(host);
      if (ticketKey === undefined || address === undefined) return false;
      const expected = { infoHash, peerId, address, now: this.#clock.unixNow() };
      const fault = findTicketFault(ticket, expected, (bytes, signature) =>
        this.#verify(ticketKey, bytes, signature),
      );
      return fault === undefined;
    };
  }

  close(): void {
    this.#timer?.cancel();
  }

  #sweep(): void {
    this.#timer = this.#clock.setTimer(SWEEP_MS, () => {
      if (this.#admissions.sweep(this.#clock.now())) this.#putOut();
      this.#sweep();
    });
  }
}
