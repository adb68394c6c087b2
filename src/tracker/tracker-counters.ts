/** What the Tracker counts about announces, for `/metrics`. Numbers only: no address, no key. */

/** Why an announce was refused. */
export type RefusalCode = "unregistered" | "denied" | "key-crowded" | "too-early";

export class TrackerCounters {
  /** Announces that were answered, by event; `none` are those at regular intervals. */
  readonly answered = { none: 0, started: 0, stopped: 0, completed: 0 };
  readonly refused = { unregistered: 0, denied: 0, "key-crowded": 0, "too-early": 0 };
  /** Torrents that were asked for in scrapes. */
  scraped = 0;
  /** The longest sweep for expired peers, milliseconds. */
  longestSweepMs = 0;
}
