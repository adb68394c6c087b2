/**
 * Settings of the server commands: from the command line, else from the `--config` file (TOML), else
 * defaults. Keys of the file are the names of the options. What is wrong is told with its place.
 */
import { readFile } from "node:fs/promises";
import { parse, TomlError } from "smol-toml";
import { z } from "zod";
import { BtPublisherError, unwrap } from "../base/errors.ts";
import type { IpNetwork } from "../base/ip-address.ts";
import { canonicalIp } from "../base/ip-address.ts";
import { parseTrustedProxies } from "../protocol/http/client-address.ts";
import { parseRate } from "./values.ts";

const port = z.int().min(0).max(65_535);
const path = z.string().min(1);
const rate = z.union([z.int().min(1), z.string().transform(rateFrom)]);

/** Threads of the Tracker's UDP door at most. */
const MAX_WORKERS = 64;

/** Every key of a config file, as the options are called. */
const fileSchema = z.strictObject({
  data: path.optional(),
  host: z.string().min(1).optional(),
  "http-port": port.optional(),
  "peer-port": port.optional(),
  "udp-port": port.optional(),
  "peer-host": z.string().optional(),
  "public-url": z.string().optional(),
  "max-upload": rate.optional(),
  "tls-cert": path.optional(),
  "tls-key": path.optional(),
  "trusted-proxy": z.union([z.string().transform((one) => [one]), z.array(z.string())]).optional(),
  insecure: z.boolean().optional(),
  control: z.string().optional(),
  "control-key": path.optional(),
  workers: z.int().min(1).max(MAX_WORKERS).optional(),
  "announce-interval": z.int().min(10).max(86_400).optional(),
  "max-connections-per-address": z.int().min(1).max(100_000).optional(),
});

/** What stands in a config file. */
export type ConfigFile = z.infer<typeof fileSchema>;

/** What the options of a server command hold; undefined: not given. */
export interface ServerFlags {
  readonly config?: string;
  readonly data?: string;
  readonly host?: string;
  readonly httpPort?: number;
  readonly peerPort?: number;
  readonly udpPort?: number;
  readonly peerHost?: string;
  readonly publicUrl?: string;
  /** Bytes a second. */
  readonly maxUpload?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly trustedProxy?: readonly string[];
  readonly insecure?: boolean;
  readonly control?: string;
  readonly controlKey?: string;
  readonly workers?: number;
  /** Seconds. */
  readonly announceInterval?: number;
  readonly maxConnectionsPerAddress?: number;
  /** Of the program, not of the command: not in a file. */
  readonly verbose?: boolean;
}

/** Settings of a server command, complete and checked. */
export interface ServerSettings {
  /** Folder of everything that must survive. */
  readonly data: string;
  /** Undefined: every address of this machine. */
  readonly host: string | undefined;
  readonly httpPort: number;
  readonly peerPort: number;
  /** Of the Tracker; undefined: the same number as the HTTP port. */
  readonly udpPort: number | undefined;
  /** IP address that peers are told; undefined: where they reach us. */
  readonly peerHost: string | undefined;
  /** Without a slash at its end; undefined: made from host and port. */
  readonly publicUrl: string | undefined;
  /** Bytes a second; undefined: unlimited. */
  readonly maxUpload: number | undefined;
  readonly tls: { readonly certPath: string; readonly keyPath: string } | undefined;
  readonly trustedProxies: readonly IpNetwork[];
  /** `--insecure`: publish tokens are taken over plain HTTP from anywhere. */
  readonly isInsecure: boolean;
  readonly control: string | undefined;
  readonly controlKeyPath: string | undefined;
  /** Threads that receive and send for the Tracker's UDP door; 1: the main thread itself. */
  readonly workers: number;
  readonly announceIntervalMs: number | undefined;
  /** Of peers, for one IPv4 address or IPv6 /64. */
  readonly maxConnectionsPerAddress: number;
  /** `--verbose`: every end of a connection is told. */
  readonly isVerbose: boolean;
}

/** What differs between the server commands. */
export interface ServerDefaults {
  readonly data: string;
  readonly httpPort: number;
}

/** Peers know this port of BitTorrent's first client. */
const DEFAULT_PEER_PORT = 6881;

/** A house or an office behind one address can take part, and no single machine takes all. */
const DEFAULT_CONNECTIONS_PER_ADDRESS = 100;

/**
 * The settings that `flags` and their config file give. @throws CONFIG with the place that is wrong;
 * USAGE when it is on the command line.
 */
export async function resolveServerSettings(
  flags: ServerFlags,
  defaults: ServerDefaults,
): Promise<ServerSettings> {
  const file = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const all = { ...flagsOf(file), ...withoutUndefined(flags) };
  const { tlsCert, tlsKey } = all;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new BtPublisherError("CONFIG", "tls-cert and tls-key go together: give both or none");
  }
  if (all.peerHost !== undefined && canonicalIp(all.peerHost) === undefined) {
    throw new BtPublisherError("CONFIG", `peer-host ${all.peerHost} is no IP address`);
  }
  return {
    data: all.data ?? defaults.data,
    host: all.host,
    httpPort: all.httpPort ?? defaults.httpPort,
    peerPort: all.peerPort ?? DEFAULT_PEER_PORT,
    udpPort: all.udpPort,
    peerHost: all.peerHost,
    publicUrl: all.publicUrl === undefined ? undefined : parsePublicUrl(all.publicUrl),
    maxUpload: all.maxUpload,
    tls:
      tlsCert === undefined || tlsKey === undefined
        ? undefined
        : { certPath: tlsCert, keyPath: tlsKey },
    trustedProxies: unwrap(parseTrustedProxies(all.trustedProxy ?? [])),
    isInsecure: all.insecure ?? false,
    control: all.control,
    controlKeyPath: all.controlKey,
    workers: all.workers ?? 1,
    announceIntervalMs:
      all.announceInterval === undefined ? undefined : all.announceInterval * 1000,
    maxConnectionsPerAddress: all.maxConnectionsPerAddress ?? DEFAULT_CONNECTIONS_PER_ADDRESS,
    isVerbose: all.verbose ?? false,
  };
}

/** What the file at `path` says. @throws CONFIG that names the file and the place. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BtPublisherError("CONFIG", `the config file ${path} cannot be read: ${why}`, {
      detail: { path },
      cause,
    });
  });
  const result = fileSchema.safeParse(parseToml(text, path));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new BtPublisherError("CONFIG", `${path}: ${issue && describe(issue)}`, {
    detail: { path },
  });
}

function parseToml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const reason = cause.message.split("\n", 1)[0];
    throw new BtPublisherError("CONFIG", `${path}:${cause.line}:${cause.column}: ${reason}`, {
      detail: { path, line: cause.line, column: cause.column },
      cause,
    });
  }
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code !== "unrecognized_keys") return `${issue.path.join(".")}: ${issue.message}`;
  const [key = ""] = issue.keys;
  const nearest = nearestOf(key, Object.keys(fileSchema.shape));
  return `unknown key ${JSON.stringify(key)}; did you mean ${JSON.stringify(nearest)}?`;
}

function flagsOf(file: ConfigFile): ServerFlags {
  return withoutUndefined({
    data: file.data,
    host: file.host,
    httpPort: file["http-port"],
    peerPort: file["peer-port"],
    udpPort: file["udp-port"],
    peerHost: file["peer-host"],
    publicUrl: file["public-url"],
    maxUpload: file["max-upload"],
    tlsCert: file["tls-cert"],
    tlsKey: file["tls-key"],
    trustedProxy: file["trusted-proxy"],
    insecure: file.insecure,
    control: file.control,
    controlKey: file["control-key"],
    workers: file.workers,
    announceInterval: file["announce-interval"],
    maxConnectionsPerAddress: file["max-connections-per-address"],
  });
}

/** `undefined` means: not given here. */
function withoutUndefined<Values extends object>(
  values: {
    readonly [Key in keyof Values]: Values[Key] | undefined;
  },
): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Values;
}

/** Base URL without a slash at its end. @throws CONFIG for what no page can be under. */
function parsePublicUrl(text: string): string {
  const url = URL.parse(text);
  const isFit =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username === "" &&
    url.pathname === "/" &&
    url.search === "" &&
    url.hash === "";
  if (isFit) return url.origin;
  throw new BtPublisherError(
    "CONFIG",
    `public-url ${JSON.stringify(text)}: write it as https://files.example, without a path`,
  );
}

function rateFrom(text: string, context: z.RefinementCtx<string>): number {
  try {
    return parseRate(text);
  } catch (error) {
    context.addIssue(error instanceof Error ? error.message : String(error));
    return z.NEVER;
  }
}

/** The one of `words` that takes the fewest edits to become `word` (Levenshtein). */
function nearestOf(word: string, words: readonly string[]): string {
  let nearest = "";
  let least = Number.POSITIVE_INFINITY;
  for (const each of words) {
    const edits = editsBetween(word, each);
    if (edits < least) [nearest, least] = [each, edits];
  }
  return nearest;
}

function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let k = 1; k <= b.length; k++) {
      const change = (row[k - 1] as number) + (a[i - 1] === b[k - 1] ? 0 : 1);
      next.push(Math.min((row[k] as number) + 1, (next[k - 1] as number) + 1, change));
    }
    row = next;
  }
  return row[b.length] as number;
}
