/** The Tracker's durable side: what is registered, and what was counted since. */
import type { InfoHash } from "../base/units.ts";
import type { HeldState } from "../protocol/control/participation.ts";
import type { Registration } from "./tracker-control.ts";

/** States of one swarm that are kept. */
export const MAX_STATES = 200;

/** A registration with what the Tracker learned since it was made. */
export interface StoredRegistration extends Registration {
  /** `completed` events since the registration, as peers claim them. */
  readonly downloaded: number;
  /** How much the server took part in its swarm; undefined: nothing was known yet. */
  readonly held: HeldState | undefined;
}

/** Writes take effect in the order of the calls; a write that resolved survives a crash. */
export interface RegistrationStore {
  /** Adds or replaces; what was counted under that info hash stays. */
  put(registration: Registration): Promise<void>;
  /** Adds to `downloaded`; may be written late. Does nothing for an unknown info hash. */
  addDownloaded(infoHash: InfoHash, count: number): Promise<void>;
  /** Keeps the swarm's state, and the last ones before. Does nothing for an unknown info hash. */
  holdState(infoHash: InfoHash, held: HeldState): Promise<void>;
  /** The states that it was in, oldest first, at most MAX_STATES. */
  states(infoHash: InfoHash): Promise<readonly HeldState[]>;
  /** Idempotent. */
  remove(infoHash: InfoHash): Promise<void>;
  /** In no particular order. */
  all(): Promise<readonly StoredRegistration[]>;
}
