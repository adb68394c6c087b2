/**
 * Whom a SourceNode lets in: what the Tracker told it. What is public is open to everybody, through
 * every door. Of all else the HTTP door wants an admission; the BitTorrent door does from the level
 * `admitted` on. Of what the Tracker has not told anything, BEP 27's flag decides.
 */
import type { InfoHash, Millis } from "../base/units.ts";
import type {
  Admission,
  Revocation,
  AccessOrder,
  TorrentAccess,
} from "../protocol/control/access-values.ts";

/** A torrent that somebody wants. */
export interface GuardedTorrent {
  readonly infoHash: InfoHash;
  /** BEP 27's flag. */
  readonly isPrivate: boolean;
}

/** By host, when the admission of each principal there ends. */
type Hosts = Map<string, Map<string, Millis>>;

export class Admissions {
  readonly #levels = new Map<InfoHash, TorrentAccess["level"]>();
  readonly #hosts = new Map<InfoHash, Hosts>();
  #ticketKey: string | undefined;
  #sourceSecret: string | undefined;

  /** Takes an order of the Tracker. @returns whether somebody may have lost its admission. */
  handleOrder(now: Millis, order: AccessOrder): boolean {
    switch (order.type) {
      case "guard":
        this.#ticketKey = order.ticketKey ?? this.#ticketKey;
        this.#sourceSecret = order.sourceSecret ?? this.#sourceSecret;
        for (const { infoHash, level } of order.torrents) this.#levels.set(infoHash, level);
        return order.torrents.length > 0;
      case "admit":
        for (const admission of order.admissions) this.#admit(now, admission);
        return false;
      case "revoke":
        for (const revocation of order.revocations) this.#revoke(revocation);
        return order.revocations.length > 0;
      default:
        return order satisfies never;
    }
  }

  /** Whether a torrent wants tickets. */
  wantsTickets(infoHash: InfoHash): boolean {
    return this.#levels.get(infoHash) === "ticketed";
  }

  /** With which key of the Tracker tickets are checked; undefined: none is good. */
  get ticketKey(): string | undefined {
    return this.#ticketKey;
  }

  /** By which peers with tickets know a SourceNode; undefined: it cannot prove that it is one. */
  get sourceSecret(): string | undefined {
    return this.#sourceSecret;
  }

  /** Whether `host`, an IP address, may have `torrent` through that door. */
  admits(
    now: Millis,
    { infoHash, isPrivate }: GuardedTorrent,
    host: string,
    door: "bittorrent" | "http",
  ): boolean {
    const level = this.#levels.get(infoHash);
    if (level === "open" || (level === undefined && !isPrivate)) return true;
    if (level === "tracker" && door === "bittorrent") return true;
    const ends = this.#hosts.get(infoHash)?.get(host);
    if (ends === undefined) return false;
    for (const end of ends.values()) if (end > now) return true;
    return false;
  }

  /** Forgets admissions that ended. @returns whether there were any. */
  sweep(now: Millis): boolean {
    let hasEnded = false;
    for (const [infoHash, hosts] of this.#hosts) {
      for (const [host, ends] of hosts) {
        for (const [principal, end] of ends) {
          if (end > now) continue;
          ends.delete(principal);
          hasEnded = true;
        }
        if (ends.size === 0) hosts.delete(host);
      }
      if (hosts.size === 0) this.#hosts.delete(infoHash);
    }
    return hasEnded;
  }

  #admit(now: Millis, { infoHash, host, principal, forMs }: Admission): void {
    const hosts: Hosts = this.#hosts.get(infoHash) ?? new Map();
    this.#hosts.set(infoHash, hosts);
    const ends = hosts.get(host) ?? new Map<string, Millis>();
    hosts.set(host, ends);
    ends.set(principal, now + forMs);
  }

  #revoke({ infoHash, principal }: Revocation): void {
    const hosts = this.#hosts.get(infoHash);
    if (hosts === undefined) return;
    for (const [host, ends] of hosts) {
      ends.delete(principal);
      if (ends.size === 0) hosts.delete(host);
    }
  }
}
