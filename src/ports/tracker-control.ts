/**
 * The control link: how a SourceNode and an Announcer talk to the Tracker. In one process the
 * Tracker implements it directly; between machines an authenticated WebSocket carries it.
 */
import type { InfoHash } from "../base/units.ts";
import type { AccessUpdate, SourceOrder } from "../protocol/control/access-values.ts";
import type { HeldState } from "../protocol/control/participation.ts";
import type {
  KnownSource,
  Registration,
  SourceHello,
  SourceStatus,
  SwarmCounts,
  SwarmReport,
} from "../protocol/control/values.ts";

export type {
  KnownSource,
  Registration,
  SourceHello,
  SourceStatus,
  SwarmCounts,
  SwarmReport,
} from "../protocol/control/values.ts";

/** A SourceNode's end of the link. It reconnects by itself; calls wait for that, bounded. */
export interface SourceControlLink {
  /**
   * Registers what the SourceNode can serve already: it is handed out from then on. Idempotent.
   * Said again after every reconnect until `unregister`, also when this call was not answered.
   * @throws UNAVAILABLE when the Tracker did not answer in time.
   */
  register(registration: Registration): Promise<void>;
  /**
   * Ends the registration for good. Idempotent. Said again after a reconnect until it was answered.
   * @throws UNAVAILABLE as `register`.
   */
  unregister(infoHash: InfoHash): Promise<void>;
  /** Fire and forget. */
  report(status: SourceStatus): void;
  /** What is seen of one swarm, between two reports. Fire and forget. */
  reportSwarm(swarm: SwarmReport): void;
  close(): Promise<void>;
}

/** An Announcer's end of the link. Every call throws UNAVAILABLE as `register`. */
export interface AnnouncerControlLink {
  /** Counts of registered torrents; unknown ones are left out. */
  counts(infoHashes: readonly InfoHash[]): Promise<ReadonlyMap<InfoHash, SwarmCounts>>;
  /** The states that a swarm was in, oldest first; the last 200. */
  states(infoHash: InfoHash): Promise<readonly HeldState[]>;
  sources(): Promise<readonly KnownSource[]>;
  /** Announce URLs to write into .torrent files, in BEP 12 tiers' order. */
  announceUrls(): Promise<readonly string[]>;
  /** Tells who may take part. @returns whether the Tracker knows everything now. */
  updateAccess(update: AccessUpdate): Promise<boolean>;
  close(): Promise<void>;
}

/** The Tracker, as the control link sees it. */
export interface TrackerControl {
  /** `order` hears what the Tracker tells the SourceNode about access; called at once, too. */
  attachSource(
    hello: SourceHello,
    seenAt: string,
    order?: (order: SourceOrder) => void,
  ): SourceControlLink;
  attachAnnouncer(): AnnouncerControlLink;
}
