import assert from "node:assert/strict";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { type TestContext, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { testControlLink } from "../../../test/support/control-contract.ts";
import {
  clientOptions,
  type ControlWorld,
  openControlServer,
  serviceKey,
} from "../../../test/support/control-world.ts";
import {
  hello,
  infoHashOfDigit,
  openTrackerWorld,
  otherRegistration,
  registration,
  statusOf,
} from "../../../test/support/tracker-world.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { InfoHash } from "../../base/units.ts";
import {
  type ControlRole,
  encodeControlMessage,
  parseChallenge,
} from "../../protocol/control/messages.ts";
import { clientProof, frameKeys, macOf, newNonce } from "./control-auth.ts";
import { parseControlUrl } from "./control-client.ts";
import { connectAnnouncer, connectSource } from "./control-links.ts";

const hasCode = (code: string) => (error: unknown) =>
  error instanceof BtPublisherError && error.code === code;

testControlLink("control link over a WebSocket", async ({ tracker, clock }, t) => {
  const { url, events } = await openControlServer(t, { tracker, clock });
  return {
    source: (sourceHello) => {
      const link = connectSource(clientOptions(url, clock), sourceHello);
      t.after(() => link.close());
      return link;
    },
    announcer: () => {
      const link = connectAnnouncer(clientOptions(url, clock));
      t.after(() => link.close());
      return link;
    },
    closed: async () => {
      await events.next("closed");
    },
  };
});

// What goes wrong with links.

async function openWorld(t: TestContext) {
  const world = await openTrackerWorld();
  return { ...world, control: await openControlServer(t, world) };
}

function aSource(t: TestContext, url: string, world: Awaited<ReturnType<typeof openTrackerWorld>>) {
  const options = clientOptions(url, world.clock);
  const link = connectSource(options, hello);
  t.after(() => link.close());
  return { link, events: options.events };
}

test("a link that is cut connects again and says everything again, to a new Tracker too", async (t) => {
  const { control, ...world } = await openWorld(t);
  const { link, events } = aSource(t, control.url, world);
  await link.register(registration);
  await link.register(otherRegistration);
  await link.unregister(otherRegistration.infoHash);
  const { port } = control.http.address() as AddressInfo;
  await control.stop();
  const { retryMs } = await events.next("disconnected");
  assert.ok(retryMs >= 500 && retryMs <= 1000);

  const restarted = await openTrackerWorld();
  const again = await openControlServer(
    t,
    { tracker: restarted.tracker, clock: world.clock },
    port,
  );
  await world.pass(retryMs);
  await again.events.next("opened");
  await link.register(registration);

  assert.deepEqual(
    (await restarted.store.all()).map(({ name }) => name),
    [registration.name],
  );
  const [known] = await restarted.tracker.attachAnnouncer().sources();
  assert.equal(known?.sourceId, hello.sourceId);
});

test("calls made while the link is down wait for it", async (t) => {
  const { control, ...world } = await openWorld(t);
  const { link, events } = aSource(t, control.url, world);
  await events.next("connected");
  const { port } = control.http.address() as AddressInfo;
  await control.stop();
  const { retryMs } = await events.next("disconnected");

  const registering = link.register(registration);
  link.report(statusOf(registration.infoHash));
  await openControlServer(t, world, port);
  await world.pass(retryMs);
  await registering;
  assert.equal((await world.store.all()).length, 1);
});

test("a call fails after 10 s without the Tracker, and its wish is kept", async (t) => {
  const { control, ...world } = await openWorld(t);
  const { link, events } = aSource(t, control.url, world);
  await link.register(otherRegistration);
  const { port } = control.http.address() as AddressInfo;
  await control.stop();
  await events.next("disconnected");

  const failures = [link.register(registration), link.unregister(otherRegistration.infoHash)];
  const outcomes = Promise.allSettled(failures);
  // Attempts fail in real time, for nobody listens; here only the calls' time passes.
  await world.pass(10_000);
  for (const outcome of await outcomes) {
    assert.ok(outcome.status === "rejected" && hasCode("UNAVAILABLE")(outcome.reason));
  }

  const { retryMs } = await events.next("disconnected");
  await openControlServer(t, world, port);
  await world.pass(retryMs);
  await link.register(registration);
  assert.deepEqual(
    (await world.store.all()).map(({ name }) => name),
    [registration.name],
  );
});

test("attempts become rarer, up to 30 s", async (t) => {
  const world = await openTrackerWorld();
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const { events } = aSource(t, `ws://127.0.0.1:${port}/control`, world);

  const delays: number[] = [];
  for (let attempt = 0; attempt < 12; attempt++) {
    const { retryMs, reason } = await events.next("disconnected");
    assert.match(reason, /ECONNREFUSED/);
    assert.ok(retryMs >= 500 && retryMs <= Math.min(30_000, 1000 * 2 ** attempt), `${retryMs}`);
    delays.push(retryMs);
    await world.pass(retryMs);
  }
  assert.ok(Math.max(...delays) > 10_000);
});

test("a link without a sign of life for 15 s is ended, on either side", async (t) => {
  const { control, ...world } = await openWorld(t);
  const deaf = await greet(t, control, "announcer", { autoPong: false });
  const closedDeaf = closeCodeOf(deaf.socket);
  for (let i = 0; i < 3; i++) await world.pass(5000);
  await control.events.next("closed");
  await closedDeaf;

  const silent = await openImpostor(t);
  const { events } = aSource(t, silent.url, world);
  await new Promise((resolve) => silent.server.once("connection", resolve));
  await world.pass(10_000);
  assert.match((await events.next("disconnected")).reason, /no greeting in time/);
});

test("a link that answers pings lives on", async (t) => {
  const { control, ...world } = await openWorld(t);
  const raw = await greet(t, control, "announcer");
  for (let i = 0; i < 8; i++) {
    const pinged = new Promise((resolve) => raw.socket.once("ping", resolve));
    await world.pass(5000);
    await pinged;
    // A round trip, after which the server has heard the pong.
    raw.send('{"type":"sources","id":1}');
    await nextMessage(raw.socket);
  }
  assert.equal(control.events.count("closed"), 0);
});

test("a message larger than a frame arrives whole", async (t) => {
  const { control, ...world } = await openWorld(t);
  const { link } = aSource(t, control.url, world);
  const hashes = Array.from(
    { length: 20_000 },
    (_, i) => i.toString(16).padStart(40, "0") as InfoHash,
  );
  const status = statusOf(...hashes);
  assert.ok(JSON.stringify(status).length > 1.5 * 1024 * 1024);
  link.report(status);
  await link.register(registration);
  link.report(status);
  await link.register(registration);

  const announcer = connectAnnouncer(clientOptions(control.url, world.clock));
  t.after(() => announcer.close());
  const [known] = await announcer.sources();
  assert.deepEqual(known?.status?.swarms, status.swarms);
});

test("thousands of registrations are said again in few messages", async (t) => {
  const { control, ...world } = await openWorld(t);
  const { link, events } = aSource(t, control.url, world);
  const infoHashes = Array.from(
    { length: 2500 },
    (_, i) => i.toString(16).padStart(40, "0") as InfoHash,
  );
  await Promise.all(
    infoHashes.map((infoHash, i) => link.register({ ...registration, infoHash, name: `n${i}` })),
  );
  const { port } = control.http.address() as AddressInfo;
  await control.stop();
  const { retryMs } = await events.next("disconnected");
  const restarted = await openTrackerWorld();
  await openControlServer(t, { tracker: restarted.tracker, clock: world.clock }, port);
  await world.pass(retryMs);
  await link.register(registration);
  assert.equal((await restarted.store.all()).length, 2501);
});

test("who does not hold the key is refused, on both sides", async (t) => {
  const { control, ...world } = await openWorld(t);
  const stranger = clientOptions(control.url, world.clock);
  const link = connectSource({ ...stranger, key: new Uint8Array(32) }, hello);
  t.after(() => link.close());
  assert.match((await stranger.events.next("disconnected")).reason, /service key/);
  assert.equal((await control.events.next("refused")).reason, "wrong service key");
  assert.deepEqual(await world.tracker.attachAnnouncer().sources(), []);

  // A server that lets everybody in, to learn what they say.
  const trap = await openImpostor(t);
  const heard: string[] = [];
  trap.server.on("connection", (socket) => {
    socket.send(encodeControlMessage({ type: "challenge", version: 1, nonce: newNonce() }));
    socket.on("message", (data: Buffer) => {
      heard.push(data.toString());
      socket.send(encodeControlMessage({ type: "welcome", mac: newNonce() }));
    });
  });
  const { events } = aSource(t, trap.url, world);
  assert.match((await events.next("disconnected")).reason, /does not hold our service key/);
  assert.equal(heard.length, 1);
});

test("another version of the protocol is named as such", async (t) => {
  const { control, ...world } = await openWorld(t);
  const raw = openSocket(t, control.url);
  await nextMessage(raw);
  const mac = newNonce();
  const proof = { type: "proof", version: 2, role: "source", nonce: mac, mac } as const;
  raw.send(encodeControlMessage(proof));
  assert.equal(await closeCodeOf(raw), 4406);

  const future = await openImpostor(t);
  future.server.on("connection", (socket) => {
    socket.send(encodeControlMessage({ type: "challenge", version: 2, nonce: newNonce() }));
  });
  const { events } = aSource(t, future.url, world);
  assert.match((await events.next("disconnected")).reason, /control version 2, not 1/);
});

test("T19 forged, replayed, reordered and damaged frames end the link unheard", async (t) => {
  const { control, ...world } = await openWorld(t);
  const sayHello = encodeControlMessage({ type: "hello", hello });
  const attacks: Record<string, (raw: RawLink) => void> = {
    "a frame under another key": (raw) => raw.sendRaw(frame(new Uint8Array(32), 0, sayHello)),
    "a frame under the key of the other direction": (raw) =>
      raw.sendRaw(frame(raw.keys.toClient, 0, sayHello)),
    "a frame that skips a number": (raw) => raw.sendRaw(frame(raw.keys.toServer, 1, sayHello)),
    "a frame with its content changed": (raw) => {
      const bytes = frame(raw.keys.toServer, 0, sayHello);
      bytes[bytes.length - 3] = 0x20;
      raw.sendRaw(bytes);
    },
    "a frame that is too short": (raw) => raw.sendRaw(Buffer.alloc(38)),
    "an empty frame": (raw) => raw.sendRaw(Buffer.alloc(0)),
    "a message without a frame": (raw) => raw.socket.send(sayHello),
  };
  for (const [what, attack] of Object.entries(attacks)) {
    const raw = await greet(t, control, "source");
    const code = closeCodeOf(raw.socket);
    attack(raw);
    // What follows an attack is not heard either.
    raw.sendRaw(frame(raw.keys.toServer, 0, sayHello));
    assert.equal(await code, 4403, what);
  }
  assert.deepEqual(await world.tracker.attachAnnouncer().sources(), []);
});

test("T19 a frame said twice ends the link", async (t) => {
  const { control, ...world } = await openWorld(t);
  const raw = await greet(t, control, "source");
  raw.send(encodeControlMessage({ type: "hello", hello }));
  const code = closeCodeOf(raw.socket);
  const status = { ...statusOf(), uplinkBytesPerSecond: 42 };
  const replayed = frame(raw.keys.toServer, 1, encodeControlMessage({ type: "status", status }));
  raw.sendRaw(replayed);
  raw.sendRaw(replayed);
  assert.equal(await code, 4403);
  const [known] = await world.tracker.attachAnnouncer().sources();
  assert.equal(known?.status?.uplinkBytesPerSecond, 42);
});

test("T19 a recorded link is worth nothing on another connection", async (t) => {
  const { control, ...world } = await openWorld(t);
  const recorded = await greet(t, control, "source");
  const hellos = frame(recorded.keys.toServer, 0, encodeControlMessage({ type: "hello", hello }));

  const replayer = openSocket(t, control.url);
  await nextMessage(replayer);
  replayer.send(recorded.proof);
  assert.equal(await closeCodeOf(replayer), 4401);

  const second = await greet(t, control, "source");
  const code = closeCodeOf(second.socket);
  second.sendRaw(hellos);
  assert.equal(await code, 4403);
  assert.deepEqual(await world.tracker.attachAnnouncer().sources(), []);
});

test("who proved itself keeps to its role and to the protocol, or is cut off", async (t) => {
  const { control } = await openWorld(t);
  const cases: readonly (readonly [ControlRole, readonly string[]])[] = [
    ["announcer", [encodeControlMessage({ type: "hello", hello })]],
    ["announcer", [`{"type":"unregister","id":1,"infoHash":"${infoHashOfDigit("a")}"}`]],
    ["source", [encodeControlMessage({ type: "status", status: statusOf() })]],
    ["source", ['{"type":"sources","id":1}']],
    ["source", [`{"type":"unregister","id":1,"infoHash":"${infoHashOfDigit("a")}"}`]],
    ["source", Array.from({ length: 2 }, () => encodeControlMessage({ type: "hello", hello }))],
    ["announcer", ["nonsense"]],
    ["announcer", ['{"type":"counts","id":1,"infoHashes":["x"]}']],
  ];
  for (const [role, messages] of cases) {
    const raw = await greet(t, control, role);
    const code = closeCodeOf(raw.socket);
    for (const message of messages) raw.send(message);
    assert.equal(await code, 4400, `${role}: ${messages[0]}`);
  }
});

test("strangers: few at a time, ten seconds each, small messages", async (t) => {
  const { control, ...world } = await openWorld(t);
  const huge = openSocket(t, control.url);
  await nextMessage(huge);
  huge.send("x".repeat(1024 * 1024 + 1));
  assert.equal(await closeCodeOf(huge), 1009);
  await control.events.next("refused");

  const garbage = openSocket(t, control.url);
  await nextMessage(garbage);
  garbage.send("x");
  assert.equal(await closeCodeOf(garbage), 4400);
  await control.events.next("refused");

  const waiting = Array.from({ length: 8 }, () => openSocket(t, control.url));
  await Promise.all(waiting.map(nextMessage));
  const oneTooMany = openSocket(t, control.url);
  const [status] = await new Promise<[number]>((resolve) =>
    oneTooMany.once("unexpected-response", (_request, response) => {
      resolve([response.statusCode ?? 0]);
    }),
  );
  assert.equal(status, 503);

  const codes = Promise.all(waiting.map(closeCodeOf));
  await world.pass(10_000);
  assert.ok((await codes).every((code) => code === 4408));
  await greet(t, control, "announcer");
});

test("other paths of the same server are not ours", async (t) => {
  const { control } = await openWorld(t);
  const { port } = control.http.address() as AddressInfo;
  const other = openSocket(t, `ws://127.0.0.1:${port}/elsewhere`);
  const status = await new Promise((resolve) =>
    other.once("unexpected-response", (_request, response) => resolve(response.statusCode)),
  );
  assert.equal(status, 404);
  const plain = await fetch(`http://127.0.0.1:${port}/control`);
  assert.equal(await plain.text(), "hello");

  const socket = connect(port, "127.0.0.1");
  socket.end(
    "GET /control HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  const answer = await new Promise<string>((resolve) =>
    socket.once("data", (data) => resolve(data.toString())),
  );
  assert.match(answer, /^HTTP\/1\.1 400/);
});

test("control URLs", () => {
  const table = [
    ["https://tracker.example", "wss://tracker.example/control"],
    ["http://192.0.2.1:8080/", "ws://192.0.2.1:8080/control"],
    ["ws://[::1]:1/control", "ws://[::1]:1/control"],
    ["wss://tracker.example/behind/proxy", "wss://tracker.example/behind/proxy"],
  ] as const;
  for (const [text, expected] of table) assert.equal(parseControlUrl(text), expected);
  for (const text of [
    "",
    "tracker.example",
    "ftp://x",
    "https://user@x",
    "https://x/#y",
    "http:",
  ]) {
    assert.throws(() => parseControlUrl(text), hasCode("USAGE"), text);
  }
});

/** A server that is none of ours. */
async function openImpostor(t: TestContext) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  t.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  return { server, url: `ws://127.0.0.1:${port}/control` };
}

// A client of our own making, that may misbehave.

interface RawLink {
  readonly socket: WebSocket;
  readonly keys: ReturnType<typeof frameKeys>;
  /** The proof that it sent. */
  readonly proof: string;
  /** Sends a genuine frame. */
  send(message: string): void;
  sendRaw(bytes: Buffer): void;
}

function openSocket(t: TestContext, url: string, options: { autoPong?: boolean } = {}): WebSocket {
  const socket = new WebSocket(url, options);
  socket.on("error", () => {});
  t.after(() => socket.terminate());
  return socket;
}

function nextMessage(socket: WebSocket): Promise<string> {
  return new Promise((resolve) =>
    socket.once("message", (data: Buffer) => resolve(data.toString("latin1"))),
  );
}

function closeCodeOf(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.once("close", resolve));
}

async function greet(
  t: TestContext,
  { url }: ControlWorld,
  role: ControlRole,
  options: { autoPong?: boolean } = {},
): Promise<RawLink> {
  const socket = openSocket(t, url, options);
  const challenge = parseChallenge(await nextMessage(socket));
  assert.ok(challenge.ok);
  const greeting = { role, serverNonce: challenge.value.nonce, clientNonce: newNonce() };
  const mac = clientProof(serviceKey, greeting);
  const nonce = greeting.clientNonce;
  const proof = encodeControlMessage({ type: "proof", version: 1, role, nonce, mac });
  socket.send(proof);
  await nextMessage(socket);
  const keys = frameKeys(serviceKey, greeting);
  let sequence = 0;
  return {
    socket,
    keys,
    proof,
    send: (message) => socket.send(frame(keys.toServer, sequence++, message)),
    sendRaw: (bytes) => socket.send(bytes),
  };
}

function frame(key: Uint8Array, sequence: number, message: string): Buffer {
  const body = Buffer.concat([Buffer.alloc(7), Buffer.from(message)]);
  body.writeUIntBE(sequence, 0, 6);
  return Buffer.concat([macOf(key, body), body]);
}
