/** `btpublisher tracker`: the Tracker alone; SourceNodes and Announcers join over the control link. */
import { ControlServer } from "../../adapters/node/control-server.ts";
import { readOrCreateKey } from "../../adapters/node/key-file.ts";
import { stopRequested } from "../command.ts";
import type { ServerSettings } from "../config.ts";
import { answerNothingHere } from "./health.ts";
import { type ServerLife, withServerWorld } from "./server-world.ts";
import { openTrackerPart } from "./tracker-part.ts";

/** Runs until it is asked to stop; everything is closed when it resolves. */
export async function runTracker(settings: ServerSettings, life: ServerLife): Promise<void> {
  await withServerWorld(settings, life, async (world) => {
    const { folder, clock, publicUrl: url } = world;
    const trackerPart = await openTrackerPart(world);
    const { tracker, routes, announces, announceUrls, udpPort } = trackerPart;
    const keyFile = folder.pathOf("control.key");
    const control = new ControlServer({
      tracker,
      key: await readOrCreateKey(keyFile),
      clock,
      trustedProxies: settings.trustedProxies,
      onEvent: (event) => world.report({ ...event, type: `control-${event.type}` }),
    });
    world.onClose(() => control.close());
    world.front.serve({
      announces,
      routes: [...routes, ...world.health.routes],
      fallback: answerNothingHere,
      upgrade: (request, socket, head) =>
        control.handleUpgrade(request, socket, head) || trackerPart.upgrade(request, socket, head),
    });
    world.ready(
      { url, announceUrls, udpPort, controlKeyFile: keyFile },
      `The Tracker is running.

  announce  ${announceUrls.join(" ")}
  data      ${folder.path}

Copy ${keyFile} to the machines of the other roles and start there

  btpublisher source --control ${url} --control-key FILE
  btpublisher announcer --control ${url} --control-key FILE
`,
    );
    await stopRequested(life.signal);
    life.output.print("Stopping.");
  });
}
