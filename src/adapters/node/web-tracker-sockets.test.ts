import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import { formatIp } from "../../base/ip-address.ts";
import { FrontServer } from "./front-server.ts";
import { WebTrackerSockets, type WebTrackerSocketsOptions } from "./web-tracker-sockets.ts";

async function start(t: TestContext, options: Partial<WebTrackerSocketsOptions> = {}) {
  const front = await FrontServer.open({ host: "127.0.0.1", port: 0, tls: undefined });
  const log: string[] = [];
  const gone = Promise.withResolvers<void>();
  const sockets = new WebTrackerSockets({
    trustedProxies: [],
    open: (link, { address, key }) => {
      log.push(`open ${formatIp(address)} ${key}`);
      return {
        handle: (text) => link.send(`got ${text.length}`),
        closed: () => gone.resolve(),
      };
    },
    ...options,
  });
  t.after(async () => {
    sockets.close();
    await front.close();
  });
  front.serve({
    announces: { answer: () => assert.fail(), isProxy: () => false },
    routes: [],
    fallback: undefined,
    upgrade: (request, socket, head) => sockets.handleUpgrade(request, socket, head),
  });
  return { port: front.port, log, gone: gone.promise };
}

test("what one message leads to comes in order, also where it is more than one write", async (t) => {
  const texts = Array.from({ length: 300 }, (_, i) => `${i} ${i % 2 === 0 ? "é" : "e"}`.repeat(50));
  const { port } = await start(t, {
    open: (link) => ({
      handle: () => texts.forEach((text) => link.send(text)),
      closed: () => undefined,
    }),
  });
  const client = new WebSocket(`ws://127.0.0.1:${port}/announce`);
  t.after(() => client.terminate());
  const got: string[] = [];
  const all = new Promise<void>((resolve) => {
    client.on("message", (text: Buffer) => got.push(text.toString()) === 300 && resolve());
  });
  await once(client, "open");
  client.send("go");
  await all;
  assert.deepEqual(got, texts);
});

const HEAD =
  "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

/** A connection that may write any bytes, behind its upgrade. */
async function raw(t: TestContext, port: number, more = ""): Promise<[Socket, string]> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => undefined);
  socket.write(`GET /announce HTTP/1.1\r\n${HEAD}${more}\r\n`);
  const [answer] = (await once(socket, "data")) as [Buffer];
  return [socket, answer.toString("latin1")];
}

/** The code that a server closes with when it is sent `frames`. */
async function closeCode(t: TestContext, port: number, frames: Buffer): Promise<number> {
  const [socket] = await raw(t, port);
  const bytes: Buffer[] = [];
  socket.on("data", (part: Buffer) => bytes.push(part));
  socket.write(frames);
  await new Promise((resolve) => socket.once("close", resolve).once("end", resolve));
  const all = Buffer.concat(bytes);
  const at = all.indexOf(0x88);
  return at < 0 ? 0 : all.readUInt16BE(at + 2);
}

/** A masked frame (with a mask of zeros) with `first` as its first byte. */
function frame(first: number, payload: Buffer): Buffer {
  const length = Buffer.alloc(payload.length > 125 ? 4 : 2);
  length[0] = first;
  length[1] = 0x80 | Math.min(payload.length, 126);
  if (payload.length > 125) length.writeUInt16BE(payload.length, 2);
  return Buffer.concat([length, Buffer.alloc(4), payload]);
}

const statusOf = (answer: string) => Number(answer.slice(9, 12));

test("a message reaches the door, with the address and the key, and an answer comes back", async (t) => {
  const { port, log, gone } = await start(t);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/announce/key?x`);
  await once(socket, "open");
  socket.send("hello");
  assert.equal(String((await once(socket, "message"))[0]), "got 5");
  assert.deepEqual(log, ["open 127.0.0.1 key"]);
  socket.close();
  await gone;
});

test("WS-01 a binary message closes with 1003", async (t) => {
  const { port } = await start(t);
  assert.equal(await closeCode(t, port, frame(0x82, Buffer.from("x"))), 1003);
});

test("WS-03 T8 a message beyond 64 KiB closes with 1009", async (t) => {
  const { port } = await start(t);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/announce`);
  await once(socket, "open");
  socket.send("x".repeat(65 * 1024));
  assert.equal((await once(socket, "close"))[0], 1009);
});

test("WS-04 T8 ten thousand fragments of one byte close the connection", async (t) => {
  const { port } = await start(t);
  const fragments = Array.from({ length: 10_000 }, (_, i) => frame(i === 0 ? 1 : 0, Buffer.of(97)));
  assert.equal(await closeCode(t, port, Buffer.concat(fragments)), 1008);
});

test("WS-05 T8 compression is not agreed to, and a compressed message closes with 1002", async (t) => {
  const { port } = await start(t);
  const [, answer] = await raw(t, port, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  assert.equal(statusOf(answer), 101);
  assert.doesNotMatch(answer, /extensions/i);
  assert.equal(await closeCode(t, port, frame(0xc1, Buffer.from("x"))), 1002);
});

test("WS-06 unmasked, badly encoded and reserved frames close the connection", async (t) => {
  const { port } = await start(t);
  const unmasked = Buffer.from("810178", "hex");
  assert.equal(await closeCode(t, port, unmasked), 1002);
  assert.equal(await closeCode(t, port, frame(0x81, Buffer.of(0xff, 0xfe))), 1007);
  assert.equal(await closeCode(t, port, frame(0xa1, Buffer.from("x"))), 1002);
});

test("WS-18 a page of another origin is refused, where origins are named", async (t) => {
  const { port } = await start(t, { origins: ["https://files.example"] });
  for (const [origin, status] of [
    ["https://evil.example", 403],
    ["null", 403],
    ["https://files.example", 101],
  ] as const) {
    const [, answer] = await raw(t, port, `Origin: ${origin}\r\n`);
    assert.equal(statusOf(answer), status, origin);
  }
  assert.equal(statusOf((await raw(t, port))[1]), 101);
});

test("WS-19 an upgrade with huge heads is refused", async (t) => {
  const { port } = await start(t);
  const [, huge] = await raw(t, port, `X: ${"y".repeat(10_000)}\r\n`);
  assert.equal(statusOf(huge), 431);
  const [, many] = await raw(t, port, `Sec-WebSocket-Protocol: ${"a,".repeat(5000)}a\r\n`);
  assert.equal(statusOf(many), 431);
});

test("HTP-16 what can be no key is refused at the upgrade", async (t) => {
  const { port } = await start(t);
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.write(`GET /announce/a%2fb HTTP/1.1\r\n${HEAD}\r\n`);
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.equal(statusOf(answer.toString()), 403);
});

test("WS-20 WS-22 who answers no ping is cut and forgotten", async (t) => {
  const { port, gone } = await start(t, { heartbeatMs: 20 });
  const [socket] = await raw(t, port);
  // It reads, and says nothing more.
  await Promise.all([gone, new Promise((resolve) => socket.once("close", resolve))]);
});
