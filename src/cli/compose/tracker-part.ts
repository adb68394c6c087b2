/** The Tracker in a server process. */
import { readOrCreateKey } from "../../adapters/node/key-file.ts";
import { passkeyDigest } from "../../adapters/node/secrets.ts";
import { createTicketSigner } from "../../adapters/node/ticket-keys.ts";
import { SqlRegistrationStore } from "../../adapters/sql/registration-store.ts";
import type { FrontRoute, UpgradeHandler } from "../../adapters/node/front-server.ts";
import type { AnnounceDoor } from "../../adapters/node/announce-entrance.ts";
import { WebTrackerSockets } from "../../adapters/node/web-tracker-sockets.ts";
import { reasonText } from "../../participation/reason-text.ts";
import type { ParticipationChange } from "../../tracker/participation-book.ts";
import { TrackerHttpDoor } from "../../tracker/http-door.ts";
import { TicketDesk } from "../../tracker/ticket-desk.ts";
import { resolveTrackerOptions } from "../../tracker/options.ts";
import { Tracker } from "../../tracker/tracker.ts";
import { TrackerAccess } from "../../tracker/tracker-access.ts";
import { trackerMetrics } from "../../tracker/tracker-metrics.ts";
import { TrackerWebDoor } from "../../tracker/web-door.ts";
import type { ServerSettings } from "../config.ts";
import { announceDoor } from "./announce-door.ts";
import { forwardedForOf, originReader } from "./public-url.ts";
import { ticketRoute } from "./ticket-route.ts";
import { openUdpPort } from "./udp-port.ts";
import type { ServerWorld } from "./server-world.ts";

/** An open Tracker and its doors. */
export interface TrackerPart {
  readonly tracker: Tracker;
  readonly routes: readonly FrontRoute[];
  /** Takes plain announces straight from their connections. */
  readonly announces: AnnounceDoor;
  /** In the order of BEP 12's tiers. */
  readonly announceUrls: readonly string[];
  readonly udpPort: number;
  /** Takes trackers' WebSockets; the HTTP server asks it first. */
  readonly upgrade: UpgradeHandler;
}

/** Opens the Tracker over the world's data folder. */
export async function openTrackerPart(world: ServerWorld): Promise<TrackerPart> {
  const { settings, folder, clock, random, publicUrl } = world;
  const store = await SqlRegistrationStore.open(folder.pathOf("tracker.sqlite"));
  world.onClose(() => store.close());
  world.health.add("registrations", () => store.findFault());
  const { announceIntervalMs } = settings;
  const options = resolveTrackerOptions(
    announceIntervalMs === undefined ? {} : { intervalMs: announceIntervalMs },
  );
  const signer = createTicketSigner(await readOrCreateKey(folder.pathOf("ticket.key")));
  const access = new TrackerAccess({
    clock,
    tickets: signer,
    seed: random.nextUint32(),
    digestOf: passkeyDigest,
    isPrivate: (infoHash) => tracker.isPrivate(infoHash),
    intervalMs: options.intervalMs,
    onEvent: (event) => world.report(event),
  });
  world.onClose(() => access.close());
  const announceUrls = [`${publicUrl}/announce`];
  const tracker: Tracker = await Tracker.open(options, {
    access,
    accessFeed: access,
    store,
    clock,
    random,
    announceUrls: () => announceUrls,
    onParticipation: (change) =>
      world.report({ type: "participation", ...change, message: changeText(change) }),
    onStoreError: (error) => world.report({ type: "tracker-store-failed", message: String(error) }),
  });
  world.onClose(() => tracker.close());
  const { udp, udpPort } = await openUdpPort(tracker, world);
  const { maxPeersPerNetwork } = options;
  const web = new TrackerWebDoor(tracker, { clock, random, maxPeersPerNetwork });
  world.onClose(() => web.close());
  announceUrls.push(`udp://${new URL(publicUrl).hostname}:${udpPort}/announce`);
  const { trustedProxies } = settings;
  const desk = new TicketDesk({ access, signer, unixNow: () => clock.unixNow() });
  const door = new TrackerHttpDoor(tracker, { trustedProxies });
  const sockets = new WebTrackerSockets({
    open: (link, asker) => web.open(link, asker),
    trustedProxies,
  });
  world.onClose(() => sockets.close());
  return {
    tracker,
    routes: [
      ...routesOf(door),
      ticketRoute(desk, trustedProxies),
      metricsRoute(settings, () => trackerMetrics({ tracker, udp, web, access, desk })),
    ],
    upgrade: (request, socket, head) => sockets.handleUpgrade(request, socket, head),
    announces: announceDoor(door, trustedProxies),
    announceUrls,
    udpPort,
  };
}

/** Metrics are for programs on this machine, such as a Prometheus or its agent. */
function metricsRoute(settings: ServerSettings, metrics: () => string): FrontRoute {
  const originOf = originReader(settings);
  return {
    prefix: "/metrics",
    handle: (request, response) => {
      const { isLocal } = originOf(request);
      const status = isLocal ? (request.method === "GET" ? 200 : 405) : 403;
      response.writeHead(status, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
      response.end(status === 200 ? metrics() : "metrics are for programs on this machine\n");
    },
  };
}

function changeText({ from, to, reason }: ParticipationChange): string {
  const way = from === undefined ? to : `${from} to ${to}`;
  return `${way}, ${reasonText(reason)}`;
}

function routesOf(door: TrackerHttpDoor): readonly FrontRoute[] {
  const handle: FrontRoute["handle"] = ({ method = "", url = "", headers, socket }, response) => {
    const answer = door.answer({
      method,
      target: url,
      socketAddress: socket.remoteAddress,
      localAddress: socket.localAddress,
      forwardedFor: forwardedForOf(headers),
    });
    response.writeHead(answer?.status ?? 404, answer?.headers);
    response.end(answer?.body);
  };
  return ["/announce", "/scrape"].map((prefix) => ({ prefix, takesLongUrls: true, handle }));
}
