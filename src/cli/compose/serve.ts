/** `btpublisher serve`: Tracker, SourceNode and Announcer in one process, joined in memory. */
import { invocation } from "../invocation.ts";
import { stopRequested } from "../command.ts";
import type { ServerSettings } from "../config.ts";
import { offerSetup } from "./access-part.ts";
import { openAnnouncerPart } from "./announcer-part.ts";
import { DEFAULT_SERVER } from "../server-options.ts";
import { localUrlOf } from "./public-url.ts";
import {
  type ServerLife,
  type ServerWorld,
  warnOfPlainHttp,
  withServerWorld,
} from "./server-world.ts";
import { openSourcePart } from "./source-part.ts";
import { openTrackerPart } from "./tracker-part.ts";

/** Where its SourceNode's link comes from, as the Tracker sees it: from beside it. */
const BESIDE = "127.0.0.1";

/** The port when none is chosen. */
export const DEFAULT_HTTP_PORT = 8080;

/** Runs until it is asked to stop; everything is closed when it resolves. */
export async function serve(settings: ServerSettings, life: ServerLife): Promise<void> {
  await withServerWorld(settings, life, async (world) => {
    const { ready, setupToken } = await openAllRoles(world);
    world.ready({ ...ready }, greeting(world, ready));
    offerSetup(localServerUrl(world), setupToken, life.output);
    warnOfPlainHttp(settings, life.output);
    await stopRequested(life.signal);
    life.output.print("Stopping.");
  });
}

/** What is said of a server that is ready. */
export interface ReadyServer {
  readonly url: string;
  readonly announceUrls: readonly string[];
  readonly peerPort: number;
  readonly udpPort: number;
  readonly tokenFile: string | undefined;
}

/** Opens all roles in `world`, joined, and all their doors. */
export async function openAllRoles(
  world: ServerWorld,
): Promise<{ readonly ready: ReadyServer; readonly setupToken: string | undefined }> {
  const trackerPart = await openTrackerPart(world);
  const { tracker } = trackerPart;
  const sourcePart = await openSourcePart(world, {
    connect: (hello, onOrder) => tracker.attachSource(hello, BESIDE, onOrder),
    onEvent: (event) => {
      if (event.type === "peer-closed") return world.reportPeer(event.name, event.closed);
      // The Announcer tells these, once they are true for everybody.
      if (event.type !== "published" && event.type !== "unpublished") world.report(event);
    },
  });
  const { app, token, announcer, setupToken } = await openAnnouncerPart(world, {
    content: sourcePart.source,
    control: tracker.attachAnnouncer(),
    isTogether: true,
  });
  world.front.serve({
    announces: trackerPart.announces,
    routes: [...trackerPart.routes, ...sourcePart.routes, ...world.health.routes],
    fallback: (request, response) => app.handle(request, response),
    upgrade: trackerPart.upgrade,
  });
  const ready = {
    url: world.publicUrl,
    announceUrls: await announcer.announceUrls(),
    peerPort: sourcePart.peerPort,
    udpPort: trackerPart.udpPort,
    tokenFile: token.path,
  };
  return { ready, setupToken };
}

/** Where programs on this machine reach the server. A certificate is for the public name. */
function localServerUrl({ settings, front, publicUrl }: ServerWorld): string {
  return settings.tls === undefined ? localUrlOf(settings, front.port) : publicUrl;
}

/** What to do next, word for word. */
function greeting(world: ServerWorld, { peerPort, tokenFile }: ReadyServer): string {
  const { folder, publicUrl } = world;
  const url = localServerUrl(world);
  const server = url === DEFAULT_SERVER ? "" : ` --server ${url}`;
  return `BTPublisher is running.

  page     ${publicUrl}/
  peers    port ${peerPort}
  data     ${folder.path}
  token    ${tokenFile ?? "valid, its file was moved away"}

Publish a file or a directory from this machine with

  ${invocation()} publish PATH${server}

and send people the address of the page that it prints. Ctrl-C stops the server.
`;
}
