/**
 * What Announcer, Tracker and SourceNode tell each other about who may take part. The Announcer
 * decides; the Tracker learns which keys are good for which torrent; SourceNodes learn which
 * addresses are let in. Nobody but the Announcer needs to know of users, roles and grants.
 */
import type { InfoHash, UnixMillis } from "../../base/units.ts";
import type { ParticipationOrder } from "./participation.ts";

/**
 * How far access is enforced. `tracker`: the Tracker refuses, the SourceNode's HTTP door too.
 * `admitted`: the SourceNode closes every door to whoever the Tracker did not let in. `ticketed`:
 * it also wants a ticket, which only our own clients have.
 */
export type AccessLevel = "tracker" | "admitted" | "ticketed";

/** A torrent and how it is guarded; `open`: not at all. */
export interface TorrentAccess {
  readonly infoHash: InfoHash;
  readonly level: AccessLevel | "open";
}

/** A key that is good for one torrent. */
export interface TrackerKey {
  /** Its keyed digest, 64 hexadecimal digits. */
  readonly digest: string;
  readonly infoHash: InfoHash;
  /** Who holds it: a stable name without a secret. */
  readonly principal: string;
  /** Wall clock; undefined: until it is taken back. */
  readonly expiresAt: UnixMillis | undefined;
}

/** An address that is let in without an announce: somebody fetched a .torrent from there. */
export interface GuestAdmission {
  readonly infoHash: InfoHash;
  /** IP address. */
  readonly host: string;
  readonly principal: string;
}

/** A change of what the Tracker knows, or all of it. */
export interface AccessUpdate {
  /** Who tells: random, new with every start of the Announcer. */
  readonly feed: string;
  /** Counts updates, from 0. A Tracker that is not at the one before wants everything again. */
  readonly number: number;
  /** The first part of everything there is: what is not in it, and not in those that follow, is not. */
  readonly isWhole: boolean;
  /** Of several parts the last, with which all of them begin to count. */
  readonly isLast: boolean;
  /** With which key of the server digests are made, 64 hexadecimal digits. */
  readonly digestKey: string;
  readonly torrents: readonly TorrentAccess[];
  readonly keys: readonly TrackerKey[];
  /** Digests of keys that are good no more. */
  readonly revoked: readonly string[];
  readonly guests: readonly GuestAdmission[];
}

/** What the Tracker tells its SourceNodes. */
export type SourceOrder = AccessOrder | ParticipationOrder;

/** What it tells them about access. */
export type AccessOrder =
  | {
      readonly type: "guard";
      readonly torrents: readonly TorrentAccess[];
      /** With which key the Tracker's tickets are checked, 64 hexadecimal digits. */
      readonly ticketKey?: string | undefined;
      /** What SourceNodes prove themselves with to holders of tickets, 64 hexadecimal digits. */
      readonly sourceSecret?: string | undefined;
    }
  | { readonly type: "admit"; readonly admissions: readonly Admission[] }
  | { readonly type: "revoke"; readonly revocations: readonly Revocation[] };

/** An address that may connect. */
export interface Admission {
  readonly infoHash: InfoHash;
  readonly host: string;
  readonly principal: string;
  /** From now on, in milliseconds: clocks differ between machines. */
  readonly forMs: number;
}

/** Somebody who may not take part any more, wherever from. */
export interface Revocation {
  readonly infoHash: InfoHash;
  readonly principal: string;
}
