/** What a role apart says of its link to the Tracker: as events, and to whoever asks how it is. */
import type { ServerWorld } from "./server-world.ts";

/** Hears the events of a control link; while it is cut the server is not ready. */
export function watchControlLink(
  world: Pick<ServerWorld, "health" | "report">,
): (event: { readonly type: string }) => void {
  let isConnected = false;
  world.health.add("control-link", () =>
    isConnected ? undefined : "the Tracker is not connected: is it running, and the key right?",
  );
  return (event) => {
    if (event.type === "connected") isConnected = true;
    if (event.type === "disconnected") isConnected = false;
    world.report({ ...event, type: `control-${event.type}` });
  };
}
