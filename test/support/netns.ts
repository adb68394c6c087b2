/**
 * A small network of the test's own: hosts are network namespaces, joined by a bridge.
 *
 * Clients see real addresses this way (some drop loopback ones), and nothing leaves the machine.
 * Names begin with `btp-test-` and hold the process id, so that what a crashed run left behind is
 * found and removed by the next one.
 */
import { execFileSync, spawn } from "node:child_process";
import process from "node:process";
import { Program } from "./programs.ts";

const PREFIX = "btp-test-";

/** One machine of the network. */
export interface Host {
  readonly namespace: string;
  /** Its address, reachable from every other host. */
  readonly ip: string;
}

/** Why a test that needs namespaces cannot run here; undefined when it can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== "linux") return `needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "needs root, to make network namespaces";
  return undefined;
}

/** Hosts on one bridge, gone with `close`. */
export class TestNetwork {
  readonly #bridge: string;
  readonly #namespaces: string[] = [];
  readonly #removeAtExit = (): void => this.close();
  #hostCount = 0;

  constructor() {
    removeLeftovers();
    process.once("exit", this.#removeAtExit);
    this.#bridge = this.#addNamespace("bridge");
    ip("-n", this.#bridge, "link", "add", "br0", "type", "bridge");
    ip("-n", this.#bridge, "link", "set", "br0", "up");
  }

  addHost(name: string): Host {
    const namespace = this.#addNamespace(name);
    const number = ++this.#hostCount;
    const address = `10.99.0.${number}`;
    const port = `port${number}`;
    const peer = ["peer", "name", "eth0", "netns", namespace];
    ip("link", "add", port, "netns", this.#bridge, "type", "veth", ...peer);
    ip("-n", this.#bridge, "link", "set", port, "master", "br0", "up");
    ip("-n", namespace, "addr", "add", `${address}/24`, "dev", "eth0");
    ip("-n", namespace, "link", "set", "eth0", "up");
    return { namespace, ip: address };
  }

  /** Removes every namespace. What still runs in them keeps running: end it first. */
  close(): void {
    process.off("exit", this.#removeAtExit);
    for (const namespace of this.#namespaces.splice(0)) ip("netns", "del", namespace);
  }

  #addNamespace(name: string): string {
    const namespace = `${PREFIX}${process.pid}-${this.#namespaces.length}-${name}`;
    ip("netns", "add", namespace);
    this.#namespaces.push(namespace);
    ip("-n", namespace, "link", "set", "lo", "up");
    return namespace;
  }
}

/** This machine itself, by its loopback: programs on it need ports of their own. */
export const loopbackHost: Host = { namespace: "", ip: "127.0.0.1" };

/** Starts a program on `host`. */
export function startOn(host: Host, command: readonly string[]): Program {
  const enter = host === loopbackHost ? [] : ["ip", "netns", "exec", host.namespace];
  const [name, ...args] = [...enter, ...command];
  const child = spawn(name as string, args, { stdio: ["ignore", "pipe", "pipe"] });
  return new Program(command.join(" "), child);
}

/** Runs a short program on `host`. @throws when it fails. */
export function runOn(host: Host, ...command: readonly string[]): Promise<void> {
  return startOn(host, command).succeed(30_000);
}

function removeLeftovers(): void {
  for (const line of ip("netns", "list").split("\n")) {
    const owner = new RegExp(`^(${PREFIX}([0-9]+)-\\S+)`).exec(line);
    if (owner !== null && !isRunning(Number(owner[2]))) ip("netns", "del", owner[1] as string);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function ip(...args: string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
