/** What the ledger's routes answer, as JSON; see docs/live.md. Instants are ISO 8601, sizes bytes. */
import type { LiveStateChange } from "./live.ts";

/** By which door bytes left. */
export type LedgerDoor = "bittorrent" | "webseed" | "webrtc" | "http";

/** Bytes of one piece that went to one node. */
export interface LedgerLine {
  readonly event: "sent";
  readonly at: string;
  readonly infoHash: string;
  readonly door: LedgerDoor;
  /** Hexadecimal; empty but behind `bittorrent`. */
  readonly peerId: string;
  readonly address: string;
  readonly pieceIndex: number;
  readonly bytes: number;
}

/** Some lines, oldest first. */
export interface LedgerPage {
  readonly entries: readonly LedgerLine[];
  /** Path of the next page; absent on the last one. */
  readonly next?: string;
}

/** What was sent in one span of time. */
export interface LedgerBin {
  /** When it begins. */
  readonly at: string;
  readonly bytes: Readonly<Partial<Record<LedgerDoor, number>>>;
  /** Different nodes; 1000 also stands for more. */
  readonly nodes: number;
  /** Groups of pieces with what was sent of them, by number. */
  readonly groups: readonly (readonly [group: number, bytes: number])[];
}

/** The ledger in equal spans of time: what a slider plays. */
export interface LedgerHistory {
  /** Absent, with `until`, when there is nothing. */
  readonly since?: string;
  readonly until?: string;
  readonly binMs: number;
  readonly pieceCount: number;
  readonly piecesPerGroup: number;
  /** Oldest first; spans in which nothing was sent are left out. */
  readonly bins: readonly LedgerBin[];
  /** States of the swarm, oldest first. */
  readonly timeline: readonly LiveStateChange[];
}
