/** The Tracker in a server process. */
import { passkeyDigest } from "../../adapters/node/secrets.ts";
import { SqlRegistrationStore } from "../../adapters/sql/registration-store.ts";
import type { FrontRoute } from "../../adapters/node/front-server.ts";
import { TrackerHttpDoor } from "../../tracker/http-door.ts";
import { resolveTrackerOptions } from "../../tracker/options.ts";
import { Tracker } from "../../tracker/tracker.ts";
import { TrackerAccess } from "../../tracker/tracker-access.ts";
import type { ServerWorld } from "./server-world.ts";

/** An open Tracker and its doors. */
export interface TrackerPart {
  readonly tracker: Tracker;
  readonly routes: readonly FrontRoute[];
}

/** Opens the Tracker over the world's data folder. */
export async function openTrackerPart(world: ServerWorld): Promise<TrackerPart> {
  const { settings, folder, clock, random, publicUrl } = world;
  const store = await SqlRegistrationStore.open(folder.pathOf("tracker.sqlite"));
  world.onClose(() => store.close());
  const { announceIntervalMs } = settings;
  const options = resolveTrackerOptions(
    announceIntervalMs === undefined ? {} : { intervalMs: announceIntervalMs },
  );
  const access = new TrackerAccess({
    clock,
    digestOf: passkeyDigest,
    isPrivate: (infoHash) => tracker.isPrivate(infoHash),
    intervalMs: options.intervalMs,
    onEvent: (event) => world.report(event),
  });
  world.onClose(() => access.close());
  const tracker: Tracker = await Tracker.open(options, {
    access,
    accessFeed: access,
    store,
    clock,
    random,
    announceUrls: () => [`${publicUrl}/announce`],
    onParticipation: (change) => world.report({ type: "participation", ...change }),
    onStoreError: (error) => world.report({ type: "tracker-store-failed", message: String(error) }),
  });
  world.onClose(() => tracker.close());
  return { tracker, routes: routesOf(tracker, world) };
}

function routesOf(tracker: Tracker, { settings }: ServerWorld): readonly FrontRoute[] {
  const door = new TrackerHttpDoor(tracker, { trustedProxies: settings.trustedProxies });
  const handle: FrontRoute["handle"] = ({ method = "", url = "", headers, socket }, response) => {
    const forwardedFor = headers["x-forwarded-for"];
    const answer = door.answer({
      method,
      target: url,
      socketAddress: socket.remoteAddress,
      localAddress: socket.localAddress,
      forwardedFor: Array.isArray(forwardedFor) ? forwardedFor.join(",") : forwardedFor,
    });
    response.writeHead(answer?.status ?? 404, answer?.headers);
    response.end(answer?.body);
  };
  return ["/announce", "/scrape"].map((prefix) => ({ prefix, takesLongUrls: true, handle }));
}
