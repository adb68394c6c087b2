/**
 * The access matrix of the doors that are not the Announcer's: each way into a server, and who gets
 * something through it. The ways are what a whole server really opened; one that is not in the
 * matrix fails here. The Announcer's routes have a matrix of their own (src/announcer/http/access.test.ts).
 */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { infoHashBytes, latin1 } from "../../src/base/bytes.ts";
import type { InfoHash } from "../../src/base/units.ts";
import { openAllRoles, type ReadyServer } from "../../src/cli/compose/serve.ts";
import { type ServerWorld, withServerWorld } from "../../src/cli/compose/server-world.ts";
import { resolveServerSettings } from "../../src/cli/config.ts";
import type { Output } from "../../src/cli/output.ts";
import { buildAnnounceUrl, buildScrapeUrl } from "../../src/protocol/tracker/http-request.ts";
import {
  encodeUdpAnnounce,
  encodeUdpConnect,
  readUdpAnswer,
} from "../../src/protocol/tracker/udp-client.ts";
import { runCommand } from "../support/command-line.ts";
import { testBytes } from "../support/odd-tree.ts";
import type { Line } from "../support/programs.ts";

/** Who comes, each from an address of its own: without a key, or with which. */
const roles = ["stranger", "guesser", "other", "revoked", "member"] as const;
type Role = (typeof roles)[number];

/** Whom a door serves: everybody, nobody, or who may have the torrent. */
type Entry = "everybody" | "nobody" | "member";

/** Every door of a server: for a torrent that is not public, and for one that is. */
const matrix: Readonly<Record<string, { readonly closed: Entry; readonly open: Entry }>> = {
  "/announce": { closed: "member", open: "everybody" },
  "/scrape": { closed: "member", open: "everybody" },
  // What is public needs no ticket.
  "/ticket": { closed: "member", open: "nobody" },
  udp: { closed: "member", open: "everybody" },
  websocket: { closed: "member", open: "everybody" },
  // By address: the member has announced.
  "/files": { closed: "member", open: "everybody" },
  "/webseed": { closed: "member", open: "everybody" },
  bittorrent: { closed: "member", open: "everybody" },
  // By token, which nobody brings here.
  announcer: { closed: "nobody", open: "everybody" },
  // They tell nothing of a torrent; the metrics go to this machine only.
  "/metrics": { closed: "everybody", open: "everybody" },
  "/healthz": { closed: "everybody", open: "everybody" },
  "/readyz": { closed: "everybody", open: "everybody" },
};

const silent = {
  isJson: true,
  isInteractive: false,
  event() {},
  reveal() {},
  print() {},
  progress() {},
  warn() {},
  error() {},
  flush: async () => {},
} satisfies Output;

/** Open sockets of this process that listen. */
function listening(): readonly string[] {
  const kinds = ["TCPServerWrap", "UDPWrap"];
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kinds.includes(kind))
    .toSorted();
}

interface Torrent {
  readonly name: string;
  readonly infoHash: InfoHash;
}

describe("every door of a server", () => testDoors(1));
describe("every door of a server with two workers", () => testDoors(2));

function testDoors(workers: number): void {
  let folder: string;
  let world: ServerWorld;
  let ready: ReadyServer;
  let before_: readonly string[];
  let torrents: Readonly<Record<"open" | "closed", Torrent>>;
  const keys: Partial<Record<Role, string>> = { guesser: "0123456789".repeat(4) };
  const closing = Promise.withResolvers<void>();
  let running: Promise<void>;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-doors-"));
    before_ = listening();
    const ports = { httpPort: 0, peerPort: 0 };
    const flags = { data: join(folder, "data"), host: "127.0.0.1", ...ports, workers };
    const settings = await resolveServerSettings(flags, { data: "", httpPort: 0 });
    const opened = Promise.withResolvers<void>();
    const life = { output: silent, onHangup: () => {}, readSettings: async () => settings };
    running = withServerWorld(settings, life, async (made) => {
      world = made;
      ({ ready } = await openAllRoles(made));
      opened.resolve();
      await closing.promise;
    });
    await Promise.race([opened.promise, running]);
    await fill();
  });

  after(async () => {
    closing.resolve();
    await running;
    rmSync(folder, { recursive: true });
  });

  /** Runs a command of the maintainer. @returns its last line. */
  async function manage(...args: readonly string[]): Promise<Line> {
    const run = await runCommand(folder, ...args, "--server", ready.url, "--json");
    assert.equal(run.code, 0, run.stdout);
    return JSON.parse(run.stdout.trimEnd().split("\n").at(-1) ?? "") as Line;
  }

  async function publish(name: string, ...access: readonly string[]): Promise<Torrent> {
    writeFileSync(join(folder, name), testBytes(50_000, name.length));
    const line = await manage("publish", name, ...access);
    return { name, infoHash: line["infoHash"] as InfoHash };
  }

  /** An account that was granted `torrent`, its key for it, and the grant. */
  async function enter(user: string, { name }: Torrent): Promise<{ key: string; grant: string }> {
    await manage("user", "add", user);
    const { token } = await manage("token", "create", user);
    const { id } = await manage("grant", "add", user, name);
    const headers = { authorization: `Bearer ${String(token)}` };
    const answer = await fetch(`${ready.url}/p/${name}.torrent`, { headers });
    const text = Buffer.from(await answer.arrayBuffer()).toString("latin1");
    const key = /\/announce\/([0-9a-f]{40})/.exec(text)?.[1];
    assert.ok(key !== undefined, `${answer.status} ${text.slice(0, 100)}`);
    return { key, grant: String(id) };
  }

  async function fill(): Promise<void> {
    const closed = ["--catalogue", "private", "--access", "admitted"];
    torrents = {
      open: await publish("open.bin"),
      closed: await publish("closed.bin", ...closed),
    };
    keys.other = (await enter("other", await publish("another.bin", ...closed))).key;
    keys.member = (await enter("member", torrents.closed)).key;
    const { key, grant } = await enter("revoked", torrents.closed);
    keys.revoked = key;
    await manage("grant", "rm", grant);
  }

  const addressOf = (role: Role) => `127.0.0.${21 + roles.indexOf(role)}`;
  const peerIdOf = (role: Role) => Buffer.from(`-XX0001-${role.padEnd(12, "-")}`);
  const behind = (path: string, role: Role) =>
    keys[role] === undefined ? path : `${path}/${keys[role]}`;

  function announceOf(role: Role, { infoHash }: Torrent) {
    const sizes = { uploaded: 0, downloaded: 0, left: 1, event: undefined, numWant: 5, key: 1 };
    return { infoHash, peerId: peerIdOf(role), port: 7000, ...sizes };
  }

  /** The status and the body of an answer to `role`. */
  function get(role: Role, url: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const asked = request(
        new URL(url, ready.url),
        { localAddress: addressOf(role) },
        (answer) => {
          let body = "";
          answer.setEncoding("latin1");
          answer.on("data", (part: string) => (body += part));
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
        },
      );
      asked.on("error", reject).end();
    });
  }

  async function isOk(role: Role, url: string): Promise<boolean> {
    return (await get(role, url)).status === 200;
  }

  /** The answer to a packet. */
  function askUdp(role: Role, packet: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve) => {
      const socket = createSocket("udp4", (answer) => {
        socket.close();
        resolve(answer);
      });
      socket.bind(0, addressOf(role), () => socket.send(packet, ready.udpPort, "127.0.0.1"));
    });
  }

  async function announcesOverUdp(role: Role, torrent: Torrent): Promise<boolean> {
    const connected = readUdpAnswer(await askUdp(role, encodeUdpConnect(1)), 1, 4);
    assert.ok(connected?.type === "connected");
    const { connectionId } = connected;
    const announce = announceOf(role, torrent);
    const packet = encodeUdpAnnounce(
      { connectionId, transactionId: 2 },
      announce,
      behind("/announce", role),
    );
    const answer = readUdpAnswer(await askUdp(role, packet), 2, 4);
    return answer?.type === "announced";
  }

  function announcesOverWebSocket(role: Role, { infoHash }: Torrent): Promise<boolean> {
    const url = `${ready.url.replace("http", "ws")}${behind("/announce", role)}`;
    const socket = new WebSocket(url, { localAddress: addressOf(role) });
    const message = {
      action: "announce",
      info_hash: latin1(infoHashBytes(infoHash)),
      peer_id: peerIdOf(role).toString("latin1"),
      left: 1,
      numwant: 0,
      offers: [],
    };
    socket.on("open", () => socket.send(JSON.stringify(message)));
    return new Promise((resolve, reject) => {
      socket.on("error", reject);
      socket.on("message", (data: Buffer) => {
        resolve("interval" in (JSON.parse(data.toString()) as object));
        socket.close();
      });
    });
  }

  function shakesHands(role: Role, { infoHash }: Torrent): Promise<boolean> {
    const { peerPort: port } = ready;
    const socket = connect({ port, host: "127.0.0.1", localAddress: addressOf(role) });
    const head = Buffer.from("\x13BitTorrent protocol\0\0\0\0\0\0\0\0", "latin1");
    socket.write(Buffer.concat([head, infoHashBytes(infoHash), peerIdOf(role)]));
    return new Promise((resolve) => {
      socket.once("data", () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.once("close", () => resolve(false));
    }).then((isIn) => {
      socket.destroy();
      return isIn === true;
    });
  }

  /** Whether `role` gets something of a torrent through a door. */
  const doors: Readonly<Record<string, (role: Role, torrent: Torrent) => Promise<boolean>>> = {
    "/announce": async (role, torrent) => {
      const url = `${ready.url}${behind("/announce", role)}`;
      const { body } = await get(role, buildAnnounceUrl(url, announceOf(role, torrent)));
      return body.includes("8:interval");
    },
    "/scrape": async (role, { infoHash }) => {
      const url = buildScrapeUrl(`${ready.url}/announce`, [infoHash]) ?? "";
      const asked = await get(role, url.replace("/scrape", behind("/scrape", role)));
      return asked.body.includes("8:complete");
    },
    "/ticket": (role, { infoHash }) => {
      const about = `h=${infoHash}&p=${peerIdOf(role).toString("hex")}`;
      return isOk(role, `${behind("/ticket", role)}?${about}`);
    },
    udp: announcesOverUdp,
    websocket: announcesOverWebSocket,
    "/files": (role, { name }) => isOk(role, `/files/${name}/${name}`),
    // Who may have it is told to wait (503) where peers can give it; others find nothing (404).
    "/webseed": async (role, { name }) => {
      const { status } = await get(role, `/webseed/${name}/${name}`);
      return status === 200 || status === 503;
    },
    bittorrent: shakesHands,
    announcer: (role, { name }) => isOk(role, `/p/${name}`),
    "/metrics": (role) => isOk(role, "/metrics"),
    "/healthz": (role) => isOk(role, "/healthz"),
    "/readyz": (role) => isOk(role, "/readyz"),
  };

  test("A1 every door that a server opened stands in the matrix", () => {
    const others = ["udp", "websocket", "bittorrent", "announcer"];
    assert.deepEqual(
      [...world.front.prefixes, ...others].toSorted(),
      Object.keys(matrix).toSorted(),
    );
    assert.deepEqual(Object.keys(doors).toSorted(), Object.keys(matrix).toSorted());
    // The HTTP port, the port for peers, and UDP, unless workers have it: a new one is a new door.
    const udp = workers === 1 ? ["UDPWrap"] : [];
    const opened = [...before_, "TCPServerWrap", "TCPServerWrap", ...udp].toSorted();
    assert.deepEqual(listening(), opened);
  });

  for (const which of ["closed", "open"] as const) {
    test(`A1 A10 S1 T10 each door serves what is ${which} to whom the matrix names`, async () => {
      for (const [door, entry] of Object.entries(matrix)) {
        for (const role of roles) {
          const served = await doors[door]?.(role, torrents[which]);
          const expected = entry[which];
          const mayHave = expected === "everybody" || (expected === "member" && role === "member");
          assert.equal(served, mayHave, `${door} to ${role}, ${which}`);
        }
      }
    });
  }

  test("T12 the metrics count all of it, and hold no key, address or name", async () => {
    const { body } = await get("stranger", "/metrics");
    for (const outcome of ["open", "key", "no-key", "wrong-key"]) {
      const line = new RegExp(`access_decisions_total\\{outcome="${outcome}"\\} [1-9]`);
      assert.match(body, line);
    }
    assert.match(body, /tickets_total\{outcome="issued"\} 1\n/);
    const secrets = [...Object.values(keys), "127.0.0.2", "closed.bin", torrents.closed.infoHash];
    for (const secret of secrets) assert.ok(!body.includes(secret), secret);
  });
}
