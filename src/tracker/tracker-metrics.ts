/** What the Tracker counts, in Prometheus' text format. Numbers only: no address, no key, no name. */
import type { TicketDesk } from "./ticket-desk.ts";
import type { Tracker } from "./tracker.ts";
import type { TrackerAccess } from "./tracker-access.ts";
import type { TrackerWebDoor } from "./web-door.ts";

/** What the UDP door counts, wherever it stands. */
export interface UdpCounts {
  readonly counters: Readonly<Record<"connect" | "announce" | "scrape" | "ignored", number>>;
}

/** Whose counts are shown. */
export interface MeasuredTracker {
  readonly tracker: Tracker;
  readonly udp: UdpCounts;
  readonly web: TrackerWebDoor;
  readonly access: TrackerAccess;
  readonly desk: TicketDesk;
}

/** The page of metrics. */
export function trackerMetrics({ tracker, udp, web, access, desk }: MeasuredTracker): string {
  const { answered, refused, scraped, longestSweepMs } = tracker.counters;
  const totals = tracker.totals();
  return [
    family("announces_total", "Announces answered, by event", "event", answered),
    family("refusals_total", "Announces refused, by reason", "reason", refused),
    family("access_decisions_total", "Access, by what decided", "outcome", access.counters),
    family("tickets_total", "Tickets asked for, by outcome", "outcome", desk.counters),
    single("scraped_total", "counter", "Torrents asked for in scrapes", scraped),
    family("udp_packets_total", "UDP packets, by what they ask", "type", udp.counters),
    family("websocket_messages_total", "WebSocket messages", "type", web.counters),
    single("websocket_connections", "gauge", "WebSocket connections open", web.sessionCount),
    single("torrents", "gauge", "Torrents registered", totals.torrents),
    single("swarms", "gauge", "Torrents with a peer list", totals.swarms),
    single("peers", "gauge", "Peers listed", totals.peers),
    single("longest_sweep_seconds", "gauge", "Longest expiry sweep", longestSweepMs / 1000),
  ].join("");
}

type Kind = "counter" | "gauge";

function header(name: string, kind: Kind, help: string): string {
  return `# HELP btpublisher_tracker_${name} ${help}.\n# TYPE btpublisher_tracker_${name} ${kind}\n`;
}

function single(name: string, kind: Kind, help: string, value: number): string {
  return `${header(name, kind, help)}btpublisher_tracker_${name} ${value}\n`;
}

function family(
  name: string,
  help: string,
  label: string,
  values: Readonly<Record<string, number>>,
): string {
  const lines = Object.entries(values).map(
    ([value, count]) => `btpublisher_tracker_${name}{${label}="${value}"} ${count}\n`,
  );
  return header(name, "counter", help) + lines.join("");
}
