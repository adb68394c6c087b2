/** Accounts, keys and the audit log in the process of an Announcer. */
import { SqlAccessStore } from "../../adapters/sql/access-store.ts";
import { AccessControl } from "../../access/access-control.ts";
import type { Catalogue } from "../../ports/catalogue.ts";
import type { Secrets } from "../../ports/secrets.ts";
import type { AccessUpdate } from "../../protocol/control/access-values.ts";
import { invocation } from "../invocation.ts";
import type { Output } from "../output.ts";
import { findClockFault } from "./clock-fault.ts";
import type { ServerWorld } from "./server-world.ts";

/** Says the link that makes the first maintainer, to people only: logs are read by others. */
export function offerSetup(url: string, token: string | undefined, output: Output): void {
  if (token === undefined || output.isJson) return;
  output.reveal(
    "setup",
    {},
    `There are no accounts yet, and none is needed for what is public. Opened in a browser, this link
makes the first maintainer, once, within a day:

  ${url}/setup#${token}

Without a browser: ${invocation()} user setup 'LINK' NAME
`,
  );
}

/** Opens the access model over the world's data folder. `start` it when there is a catalogue. */
export async function openAccessPart(
  world: ServerWorld,
  joined: {
    readonly catalogue: Catalogue;
    readonly secrets: Secrets;
    readonly isOwnerToken: (token: string) => boolean;
    readonly tellTracker: (update: AccessUpdate) => Promise<boolean>;
  },
): Promise<AccessControl> {
  const { folder, clock } = world;
  const store = await SqlAccessStore.open(folder.pathOf("access.sqlite"));
  world.onClose(() => store.close());
  world.health.add("access-store", () => store.findFault());
  const findFault = () => findClockFault(clock.unixNow());
  const fault = findFault();
  if (fault !== undefined) world.report({ type: "clock-wrong", message: fault });
  const control = new AccessControl({ ...joined, store, clock, findClockFault: findFault });
  world.onClose(() => control.close());
  return control;
}
