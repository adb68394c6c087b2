import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { type WebSocket, WebSocketServer } from "ws";
import { createWebSocketPort } from "./web-sockets.ts";

async function listen(t: TestContext, server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/announce`;
}

/** A server that answers each message with `answer` of it. */
async function start(t: TestContext, answer: (text: string, socket: WebSocket) => void) {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  t.after(() => sockets.close());
  sockets.on("connection", (socket) => {
    socket.on("message", (data: Buffer) => answer(data.toString(), socket));
  });
  return listen(t, server);
}

/** What comes of saying "hello" to `url`, up to the first message or error. */
function ask(url: string, maxBytes = 100): Promise<string> {
  return new Promise((resolve) => {
    const exchange = createWebSocketPort().open(url, maxBytes, {
      onOpen: () => exchange.send("hello"),
      onText: (text) => {
        exchange.close();
        resolve(text);
      },
      onError: (message) => resolve(`error: ${message}`),
    });
  });
}

test("a text message goes there and one comes back, binary ones are passed over", async (t) => {
  const url = await start(t, (text, socket) => {
    socket.send(Buffer.from("binary"));
    socket.send(`${text} to you`);
  });
  assert.equal(await ask(url), "hello to you");
});

test("a message beyond the bound ends it", async (t) => {
  const url = await start(t, (_text, socket) => socket.send("x".repeat(101)));
  assert.match(await ask(url), /^error: Max payload size exceeded/);
});

test("a server that closes, that speaks no WebSocket, that is not there, and a bad URL", async (t) => {
  const closing = await start(t, (_text, socket) => socket.close());
  assert.equal(await ask(closing), "error: it closed the connection");
  const plain = await listen(
    t,
    createServer((_request: IncomingMessage, response) => response.writeHead(404).end()),
  );
  assert.match(await ask(plain), /404/);
  assert.match(await ask("ws://127.0.0.1:1/"), /ECONNREFUSED/);
  assert.equal(await ask("ws://127.0.0.1:1/#part"), "error: its URL cannot be used");
});

test("after it was closed, nothing comes: neither while it opens nor later", async (t) => {
  const url = await start(t, () => undefined);
  const calls: string[] = [];
  const sink = {
    onOpen: () => calls.push("open"),
    onText: () => calls.push("text"),
    onError: () => calls.push("error"),
  };
  const early = createWebSocketPort().open(url, 100, sink);
  early.close();
  const opened = Promise.withResolvers<void>();
  const late = createWebSocketPort().open(url, 100, { ...sink, onOpen: opened.resolve });
  await opened.promise;
  late.close();
  late.close();
  assert.equal(await ask(await start(t, (text, socket) => socket.send(text))), "hello");
  assert.deepEqual(calls, []);
});
