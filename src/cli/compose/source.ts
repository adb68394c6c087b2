/** `btpublisher source`: a SourceNode alone, joined to a Tracker elsewhere. */
import process from "node:process";
import { ContentServiceServer } from "../../adapters/node/content-service-server.ts";
import { parseControlUrl } from "../../adapters/node/control-client.ts";
import { connectSource } from "../../adapters/node/control-links.ts";
import type { FrontRoute } from "../../adapters/node/front-server.ts";
import { stopRequested } from "../command.ts";
import type { ServerSettings } from "../config.ts";
import { watchControlLink } from "./control-health.ts";
import { readControlKey } from "./control-key.ts";
import { answerNothingHere } from "./health.ts";
import { neededControlUrl, type ServerLife, withServerWorld } from "./server-world.ts";
import { openSourcePart } from "./source-part.ts";

/** Runs until it is asked to stop; everything is closed when it resolves. */
export async function runSource(settings: ServerSettings, life: ServerLife): Promise<void> {
  const url = parseControlUrl(neededControlUrl(settings));
  const key = await readControlKey(settings.controlKeyPath, process.env);
  await withServerWorld(settings, life, async (world) => {
    const { clock, random } = world;
    const onEvent = watchControlLink(world);
    const { source, peerPort, routes } = await openSourcePart(world, {
      connect: (hello, onOrder) =>
        connectSource({ url, key, clock, random, onEvent }, hello, onOrder),
      onEvent: (event) => {
        if (event.type === "peer-closed") world.reportPeer(event.name, event.closed);
        else world.report(event);
      },
    });
    const service = new ContentServiceServer({ service: source, key, clock });
    const serviceRoute = {
      prefix: "/source/v1",
      handle: (request, response) => void service.handle(request, response),
    } as const satisfies FrontRoute;
    world.front.serve({
      routes: [...routes, serviceRoute, ...world.health.routes],
      fallback: answerNothingHere,
      upgrade: undefined,
    });
    world.ready(
      { url: world.publicUrl, peerPort },
      `The SourceNode is running.

  files    ${world.publicUrl}/files/
  peers    port ${peerPort}
  data     ${world.folder.path}
  tracker  ${url}
`,
    );
    await stopRequested(life.signal);
    life.output.print("Stopping.");
  });
}
