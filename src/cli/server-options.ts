/** Options that the server commands share. None has a default here: the config file comes between. */
import type { Command } from "commander";
import { collect, parseInteger, parsePort, parseRate } from "./values.ts";

/** Adds what every server command takes: where its data is and how its HTTP port is reached. */
export function addServerOptions(command: Command): Command {
  return command
    .option("--config <file>", "settings as TOML; the command line goes before it")
    .option("--data <folder>", "folder of everything that must survive")
    .option("--host <address>", "address to listen on (default: every address)")
    .option("--http-port <number>", "HTTP port; 0: any free one", parsePort)
    .option("--public-url <url>", "how the world reaches the HTTP port")
    .option("--tls-cert <file>", "certificate chain, PEM: speak HTTPS")
    .option("--tls-key <file>", "its private key, PEM")
    .option(
      "--trusted-proxy <cidr>",
      "believe this proxy's headers (repeatable)",
      collect((text) => text),
    )
    .option("--insecure", "take publish tokens over plain HTTP from anywhere");
}

/** Adds what a SourceNode takes. */
export function addSourceOptions(command: Command): Command {
  return command
    .option("--peer-port <number>", "port for peers; 0: any free one (default: 6881)", parsePort)
    .option("--peer-host <ip>", "address to tell peers (default: where they reach this server)")
    .option("--max-upload <rate>", "upload limit: 500k, 10M, 100Mbit (default: none)", parseRate)
    .option(
      "--max-connections-per-address <number>",
      "of peers, for an IPv4 address or IPv6 /64 (default: 100)",
      (text) => parseInteger(text, { min: 1, max: 100_000 }),
    );
}

/** Adds what a Tracker takes. */
export function addTrackerOptions(command: Command): Command {
  const parseWorkers = (text: string) => parseInteger(text, { min: 1, max: 64 });
  const parseInterval = (text: string) => parseInteger(text, { min: 10, max: 86_400 });
  return command
    .option(
      "--udp-port <number>",
      "the Tracker's UDP port; 0: any free one (default: as the HTTP port)",
      parsePort,
    )
    .option("--workers <number>", "threads for announces over UDP (default: 1)", parseWorkers)
    .option(
      "--announce-interval <seconds>",
      "how often peers announce (default: 120)",
      parseInterval,
    );
}

/** Options of all commands that talk to a server. */
export interface ServerAccessFlags {
  readonly server?: string;
  readonly token?: string;
}

/** Where `btpublisher serve` is by default. */
export const DEFAULT_SERVER = "http://127.0.0.1:8080";

/** Adds what says which server a command talks to, and who we are there. */
export function addAccessOptions(command: Command): Command {
  return command
    .option("--server <url>", `the server (default: ${DEFAULT_SERVER})`)
    .option("--token <token>", "who you are (or BTPUBLISHER_TOKEN; not needed on the server)");
}

/** Adds what joins a role alone to its Tracker. */
export function addControlOptions(command: Command): Command {
  return command
    .option("--control <url>", "the Tracker's URL")
    .option(
      "--control-key <file>",
      "its service key, copied from its data folder (or BTPUBLISHER_CONTROL_KEY)",
    );
}
