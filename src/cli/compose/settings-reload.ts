/**
 * Settings that are read again while the server runs (SIGHUP): what can be taken over without a
 * restart is, the rest is named. A file that cannot be used changes nothing.
 */
import { isDeepStrictEqual } from "node:util";
import type { ServerSettings } from "../config.ts";

/** Takes over what it uses of new settings. */
export type SettingsUser = (settings: ServerSettings) => Promise<void> | void;

/** What became of a reading. */
export type ReloadEvent =
  | {
      readonly type: "settings-reloaded";
      /** Options that changed and wait for a restart. */
      readonly needRestart: readonly string[];
      readonly message?: string;
    }
  | { readonly type: "settings-failed"; readonly message: string };

/** The option of each setting that needs a restart; undefined: its user takes it over. */
const restarts: Readonly<Record<keyof ServerSettings, string | undefined>> = {
  data: "data",
  host: "host",
  httpPort: "http-port",
  peerPort: "peer-port",
  udpPort: "udp-port",
  peerHost: "peer-host",
  publicUrl: "public-url",
  maxUpload: undefined,
  tls: "tls-cert and tls-key",
  trustedProxies: "trusted-proxy",
  isInsecure: "insecure",
  control: "control",
  controlKeyPath: "control-key",
  workers: "workers",
  announceIntervalMs: "announce-interval",
  maxConnectionsPerAddress: "max-connections-per-address",
  isVerbose: "verbose",
};

/** See the head of this file. */
export class SettingsReload {
  /** Those that the server was started with. */
  readonly #started: ServerSettings;
  readonly #read: () => Promise<ServerSettings>;
  readonly #report: (event: ReloadEvent) => void;
  readonly #users: SettingsUser[] = [];
  #work: Promise<void> = Promise.resolve();

  /** `read` @throws CONFIG and the like for what cannot be used. */
  constructor(
    started: ServerSettings,
    read: () => Promise<ServerSettings>,
    report: (event: ReloadEvent) => void,
  ) {
    this.#started = started;
    this.#read = read;
    this.#report = report;
  }

  add(user: SettingsUser): void {
    this.#users.push(user);
  }

  /** Reads and takes over; one reading after the other. Never rejects. */
  run(): Promise<void> {
    this.#work = this.#work.then(() => this.#run());
    return this.#work;
  }

  async #run(): Promise<void> {
    let settings: ServerSettings;
    try {
      settings = await this.#read();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `${why}; the settings that were read before stay in use`;
      return this.#report({ type: "settings-failed", message });
    }
    for (const use of this.#users) await use(settings);
    const needRestart = changedSince(this.#started, settings);
    const message = `restart the server for ${needRestart.join(", ")}`;
    const isAll = needRestart.length === 0;
    this.#report({ type: "settings-reloaded", needRestart, ...(!isAll && { message }) });
  }
}

function changedSince(before: ServerSettings, after: ServerSettings): readonly string[] {
  return Object.entries(restarts).flatMap(([name, option]) => {
    const key = name as keyof ServerSettings;
    return option === undefined || isDeepStrictEqual(before[key], after[key]) ? [] : [option];
  });
}
