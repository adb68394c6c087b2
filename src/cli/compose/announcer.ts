/** `btpublisher announcer`: an Announcer alone; Tracker and SourceNode are elsewhere. */
import process from "node:process";
import { parseControlUrl } from "../../adapters/node/control-client.ts";
import { connectAnnouncer } from "../../adapters/node/control-links.ts";
import { stopRequested } from "../command.ts";
import type { ServerSettings } from "../config.ts";
import { offerSetup } from "./access-part.ts";
import { openAnnouncerPart } from "./announcer-part.ts";
import { watchControlLink } from "./control-health.ts";
import { readControlKey } from "./control-key.ts";
import { RemoteContent } from "./remote-content.ts";
import {
  neededControlUrl,
  type ServerLife,
  warnOfPlainHttp,
  withServerWorld,
} from "./server-world.ts";

/** Runs until it is asked to stop; everything is closed when it resolves. */
export async function runAnnouncer(settings: ServerSettings, life: ServerLife): Promise<void> {
  const url = parseControlUrl(neededControlUrl(settings));
  const key = await readControlKey(settings.controlKeyPath, process.env);
  await withServerWorld(settings, life, async (world) => {
    const { clock, random } = world;
    const control = connectAnnouncer({
      url,
      key,
      clock,
      random,
      onEvent: watchControlLink(world),
    });
    const content = new RemoteContent(control, { key, clock });
    const { app, token, setupToken } = await openAnnouncerPart(world, {
      content,
      control,
      isTogether: false,
    });
    world.front.serve({
      routes: world.health.routes,
      fallback: (request, response) => app.handle(request, response),
      upgrade: undefined,
    });
    world.ready(
      { url: world.publicUrl, tokenFile: token.path },
      `The Announcer is running.

  page     ${world.publicUrl}/
  data     ${world.folder.path}
  token    ${token.path ?? "valid, its file was moved away"}
  tracker  ${url}
`,
    );
    offerSetup(world.publicUrl, setupToken, life.output);
    warnOfPlainHttp(settings, life.output);
    await stopRequested(life.signal);
    life.output.print("Stopping.");
  });
}
