/** Ranges through the HTTP client, against servers on loopback that say exactly what a test says. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, test } from "node:test";
import { SteppedClock } from "../../../test/support/stepped-clock.ts";
import type { HttpClient } from "../../ports/http-client.ts";
import { createHttpClient } from "./http-client.ts";

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Answers request number n (from 1) of the server by writing to its socket. */
type Answer = (n: number, socket: Socket) => unknown;

/** A server; `requests` is what it was asked, `sockets` by how many connections. */
async function serve(answer: Answer) {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      requests.push(String(bytes));
      answer(requests.length, socket);
    });
  }).listen(0, "127.0.0.1");
  cleanups.push(() => server.close());
  cleanups.push(() => sockets.forEach((socket) => socket.destroy()));
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/a%20b?c`, requests, sockets };
}

function aClient(clock = new SteppedClock()): HttpClient {
  return createHttpClient({ clock });
}

/** Gets bytes 0 to 4. @returns what the sink heard. */
function getRange(client: HttpClient, url: string, maxBytes = 5): Promise<string> {
  let heard = "";
  return new Promise((resolve) => {
    client.get(
      { url, headers: { range: "bytes=0-4" }, maxBytes },
      {
        onHead: ({ status }) => {
          heard += `${status} `;
          if (status < 300) return true;
          resolve(`${heard}refused`);
          return false;
        },
        onData: (bytes) => (heard += Buffer.from(bytes).toString("latin1")),
        onEnd: () => resolve(`${heard} end`),
        onError: (message) => resolve(heard + message.replace(/^http:\S+ /, "")),
      },
    );
  });
}

const plain = (body: string) =>
  `HTTP/1.1 206 Partial Content\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe("a range", () => {
  test("is asked for in full, and the connection is used again", async () => {
    const { url, requests, sockets } = await serve((_, socket) => socket.write(plain("hello")));
    const client = aClient();

    assert.equal(await getRange(client, url), "206 hello end");
    assert.equal(await getRange(client, url), "206 hello end");

    assert.equal(sockets.size, 1);
    assert.match(requests[0] ?? "", /^GET \/a%20b\?c HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
    assert.match(requests[0] ?? "", /\r\nRange: bytes=0-4\r\n\r\n$/);
  });

  test("comes together from any pieces", async () => {
    const { url } = await serve(async (_, socket) => {
      socket.setNoDelay(true);
      for (const character of plain("hello")) {
        await new Promise((written) => socket.write(character, written));
      }
    });

    assert.equal(await getRange(aClient(), url), "206 hello end");
  });

  test("is asked for again when a kept connection turns out to be closed", async () => {
    const { url, sockets } = await serve((n, socket) => {
      if (n === 2) socket.destroy();
      else socket.write(plain("hello"));
    });
    const client = aClient();

    assert.equal(await getRange(client, url), "206 hello end");
    assert.equal(await getRange(client, url), "206 hello end");
    assert.equal(sockets.size, 2);
  });

  test("that is cut fails", async () => {
    const { url } = await serve((_, socket) => {
      socket.end(plain("hello").slice(0, -1));
    });

    assert.equal(await getRange(aClient(), url), "206 hellthe connection was cut");
  });

  test("that is longer than announced, or than wanted, fails", async () => {
    const { url } = await serve((n, socket) =>
      socket.write(n === 1 ? `${plain("hello")}!` : plain("hello!")),
    );
    const client = aClient();

    assert.match(await getRange(client, url), /the answer is too long$/);
    assert.equal(await getRange(client, url), "206 the answer has more than 5 bytes");
  });

  test("from a busy server is told by its head alone", async () => {
    const busy = "HTTP/1.1 503 x\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy";
    const { url, sockets } = await serve((_, socket) => socket.write(busy));

    assert.equal(await getRange(aClient(), url), "503 refused");
    for (const socket of sockets) if (!socket.destroyed) await once(socket, "close");
  });

  test("in an odd answer is left to node:http, for this server from then on", async () => {
    const { url, sockets } = await serve((_, socket) =>
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    );
    const client = aClient();

    assert.equal(await getRange(client, url), "200 hello end");
    assert.equal(sockets.size, 2);
    assert.equal(await getRange(client, url), "200 hello end");
    assert.equal(sockets.size, 2);
  });

  test("of a server that says nothing fails after 15 s", async () => {
    const asked = Promise.withResolvers<void>();
    const { url } = await serve(() => asked.resolve());
    const clock = new SteppedClock();
    const outcome = getRange(aClient(clock), url);

    await asked.promise;
    clock.advance(15_000);

    assert.equal(await outcome, "nothing came for 15 s");
    assert.equal(clock.pendingCount, 0);
  });

  test("that is cancelled ends its connection and says nothing more", async () => {
    const asked = Promise.withResolvers<Socket>();
    const { url } = await serve((_, socket) => asked.resolve(socket));
    const clock = new SteppedClock();
    const never = () => assert.fail("the sink was called");
    const request = aClient(clock).get(
      { url, headers: { range: "bytes=0-4" } },
      { onHead: never, onData: never, onEnd: never, onError: never },
    );

    const socket = await asked.promise;
    request.cancel();
    if (!socket.destroyed) await once(socket, "close");

    assert.equal(clock.pendingCount, 0);
  });

  test("of a server that is not there fails", async () => {
    const { url } = await serve(() => {});
    for (const cleanup of cleanups.splice(0)) cleanup();
    assert.match(await getRange(aClient(), url), /ECONNREFUSED/);
  });
});
