/** A swarm of real programs around a loopback server: our own peers, aria2 and transmission. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type ClientKind, clientKinds, type RunningClient } from "./clients.ts";
import { startCommand } from "./command-line.ts";
import type { LoopbackServer } from "./loopback-server.ts";
import { loopbackHost } from "./netns.ts";
import type { Program } from "./programs.ts";

/** Ports of others' clients; ours take any free one. */
const FIRST_PORT = 26_881;

/** Peers of one publication. */
export class Swarm {
  readonly #folder: string;
  readonly #server: LoopbackServer;
  readonly #name: string;
  readonly #ours: Program[] = [];
  readonly #others: RunningClient[] = [];

  /** Peers keep what they download below `folder`. */
  constructor(folder: string, server: LoopbackServer, name: string) {
    this.#folder = folder;
    this.#server = server;
    this.#name = name;
    // Each program listens for the end of this process.
    process.setMaxListeners(50);
  }

  /** Adds one of our peers; `more`: further options of `get`. */
  addOurs(...more: readonly string[]): Program {
    const directory = this.#newFolder("ours");
    const page = `${this.#server.url}/p/${this.#name}`;
    const program = startCommand(directory, "get", page, "--json", "--no-web-seed", ...more);
    this.#ours.push(program);
    return program;
  }

  /** Adds an ordinary client that seeds when it is done. */
  async addOther(name: "aria2" | "transmission"): Promise<RunningClient> {
    const directory = this.#newFolder(name);
    const torrent = join(directory, "it.torrent");
    const response = await fetch(`${this.#server.url}/p/${this.#name}.torrent`);
    writeFileSync(torrent, new Uint8Array(await response.arrayBuffer()));
    const scratch = join(directory, "own");
    mkdirSync(scratch);
    const kind = clientKinds.find((each) => each.name === name) as ClientKind;
    const port = FIRST_PORT + this.#others.length;
    const client = kind.start("seed", { host: loopbackHost, torrent, directory, scratch, port });
    this.#others.push(client);
    return client;
  }

  /** Waits until all of our peers but those in `except` have everything. */
  async ourPeersComplete(limitMs: number, except: readonly Program[] = []): Promise<void> {
    const awaited = this.#ours.filter((peer) => !except.includes(peer));
    await Promise.all(awaited.map((peer) => peer.waitFor("event", "complete", limitMs)));
  }

  /** Ends all peers but those in `except`. */
  async leave(except: readonly Program[] = []): Promise<void> {
    const going = this.#ours.filter((peer) => !except.includes(peer));
    await Promise.all([...going, ...this.#others].map((peer) => peer.stop()));
  }

  #newFolder(kind: string): string {
    const number = this.#ours.length + this.#others.length;
    const directory = join(this.#folder, `${this.#name}-peer-${number}-${kind}`);
    mkdirSync(directory);
    return directory;
  }
}
