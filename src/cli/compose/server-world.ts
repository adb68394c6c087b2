/**
 * What all server commands begin with and end with: a data folder, the HTTP port, time and chance,
 * a way to say what happens; and parts that are closed in the reverse order of their opening.
 */
import { createSystemClock, createSystemRandom } from "../../adapters/node/clock.ts";
import { freeSpace } from "../../adapters/node/free-space.ts";
import { FrontServer } from "../../adapters/node/front-server.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ServerSettings } from "../config.ts";
import type { EventFields, Output } from "../output.ts";
import type { PeerClosed } from "../../runtime/torrent-setup.ts";
import { PeerLog } from "../peer-log.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import { Health } from "./health.ts";
import { isLoopbackOnly, publicUrlOf } from "./public-url.ts";
import { SettingsReload, type SettingsUser } from "./settings-reload.ts";
import { readTls, TlsWatch } from "./tls-files.ts";

/** With less room the databases and ledgers cannot be written for much longer. */
const LEAST_FREE_BYTES = 64 * 1024 * 1024;

/** What goes between a server and whoever runs it. */
export interface ServerLife {
  readonly output: Output;
  /** Aborted: the server ends. */
  readonly signal: AbortSignal;
  /** `listener` is called whenever the settings are to be read again. */
  readonly onHangup: (listener: () => void) => void;
  /** @throws CONFIG and the like. */
  readonly readSettings: () => Promise<ServerSettings>;
}

/** Around the roles of one process. */
export interface ServerWorld {
  readonly settings: ServerSettings;
  readonly folder: DataFolder;
  /** Bound, its doors still closed. */
  readonly front: FrontServer;
  /** How the world reaches the HTTP port, without a slash at the end. */
  readonly publicUrl: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Where parts say how they are. */
  readonly health: Health;
  /** Says what happens in a role, to whoever runs the server; before `ready` it is kept back. */
  report(event: RoleEvent): void;
  /** Says why a peer's connection ended, to who wants to hear that (`--verbose`). */
  reportPeer(name: string, closed: PeerClosed): void;
  /** The first thing that is said: the server may be used. `text` is for people. */
  ready(fields: EventFields, text: string): void;
  /** Has `use` called with settings that were read again. */
  onReload(use: SettingsUser): void;
  /** Has `close` called at the end, before what was there already. */
  onClose(close: () => Promise<void> | void): void;
}

/** An event of any role. */
export type RoleEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/**
 * Opens a world, has `run` open its roles in it and wait for the end, and closes everything,
 * whatever happens.
 */
export async function withServerWorld(
  settings: ServerSettings,
  { output, onHangup, readSettings }: Omit<ServerLife, "signal">,
  run: (world: ServerWorld) => Promise<void>,
): Promise<void> {
  const closers: (() => Promise<void> | void)[] = [];
  try {
    const folder = await openDataFolder(settings.data);
    closers.push(() => folder.release());
    const early: RoleEvent[] = [];
    let report = (event: RoleEvent): void => void early.push(event);
    const peerLog = new PeerLog(output, () => performance.now());
    const { host, httpPort: port } = settings;
    const tls = settings.tls && (await readTls(settings.tls));
    const front = await FrontServer.open({ host, port, tls });
    closers.push(() => front.close());
    const clock = createSystemClock();
    const reload = new SettingsReload(settings, readSettings, (event) => report(event));
    onHangup(() => void reload.run());
    if (settings.tls !== undefined && tls !== undefined) {
      const world = { clock, report: (event: RoleEvent) => report(event) };
      const watch = new TlsWatch(settings.tls, tls, front, world);
      closers.push(() => watch.close());
      reload.add(() => watch.look());
    }
    const health = new Health();
    health.add("data-folder", () => findFolderFault(folder.path));
    await run({
      settings,
      folder,
      front,
      health,
      publicUrl: publicUrlOf(settings, front.port),
      clock,
      random: createSystemRandom(),
      report: (event) => report(event),
      reportPeer: (name, closed) => {
        if (settings.isVerbose) peerLog.say(closed, { name });
      },
      ready: (fields, text) => {
        output.event("ready", fields, text);
        report = (event) => say(event, output);
        for (const event of early) report(event);
      },
      onReload: (use) => reload.add(use),
      onClose: (close) => void closers.push(close),
    });
  } finally {
    await closeAll(closers.toReversed());
  }
}

/** One that fails does not keep the others open; the first failure is told. */
async function closeAll(closers: readonly (() => Promise<void> | void)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function findFolderFault(path: string): Promise<string | undefined> {
  const bytes = await freeSpace(path);
  if (bytes >= LEAST_FREE_BYTES) return undefined;
  return `only ${Math.floor(bytes / 1e6)} MB are free where the data are: make room`;
}

/** Says what an Announcer on plain HTTP does not take from other machines, and why. */
export function warnOfPlainHttp(settings: ServerSettings, output: Output): void {
  const isSafe = settings.tls !== undefined || isLoopbackOnly(settings);
  if (isSafe || settings.trustedProxies.length > 0) return;
  output.warn(
    settings.isInsecure
      ? "publish tokens travel over plain HTTP (--insecure): whoever can listen can publish"
      : "plain HTTP: publishing works from this machine only. For other machines give " +
          "--tls-cert and --tls-key, or --trusted-proxy, or accept the risk with --insecure",
  );
}

/** @throws USAGE when a role alone was not told where its Tracker is. */
export function neededControlUrl({ control }: ServerSettings): string {
  if (control !== undefined) return control;
  throw new BtPublisherError("USAGE", "--control is needed: the URL of the Tracker");
}

/** For programs all of the event, for people its words. */
function say({ type, ...fields }: RoleEvent, output: Output): void {
  const words = [fields["name"], fields["message"] ?? fields["reason"]]
    .filter((word) => typeof word === "string")
    .join(": ");
  output.event(type, fields, `${type.replaceAll("-", " ")}${words === "" ? "" : ` ${words}`}`);
}
