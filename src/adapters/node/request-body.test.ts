import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import type { UploadBody } from "../../ports/content-service.ts";
import { requestBody } from "./request-body.ts";

const MIB = 1024 * 1024;

interface Taken {
  readonly bytes: Buffer;
  /** How many of them did not come through the parser. */
  readonly direct: number;
}

/** Everything of a body. */
async function takeAll(body: UploadBody): Promise<Taken> {
  const parts: Buffer[] = [];
  let direct = 0;
  for await (const chunk of body) {
    parts.push(Buffer.from(chunk));
    const target = new Uint8Array(new SharedArrayBuffer(MIB));
    const length = body.readWaiting?.(target) ?? 0;
    direct += length;
    parts.push(Buffer.from(target.subarray(0, length)));
  }
  return { bytes: Buffer.concat(parts), direct };
}

/** A server that hands each request to `serve`, and a connection to it. */
async function connected(
  t: TestContext,
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Socket> {
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  t.after(() => {
    socket.destroy();
    server.close();
  });
  return socket;
}

const head = (length: number): string =>
  `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;

test("a large body comes whole, past the parser, and its answer is the connection's last", async (t) => {
  const content = randomBytes(8 * MIB);
  const { promise, resolve } = Promise.withResolvers<Taken>();
  const socket = await connected(t, async (request, response) => {
    resolve(await takeAll(requestBody(request, response)));
    response.end("done");
  });

  socket.write(head(content.length));
  socket.write(content);
  // Whoever does not wait for answers gets none: the connection ends with the first.
  socket.write(head(3));
  const [taken, answer] = await Promise.all([promise, text(socket)]);

  assert.ok(taken.bytes.equals(content));
  assert.ok(taken.direct > 0, "nothing was read directly: has Node's socket changed?");
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\nconnection: close\r\n/i);
  assert.equal(answer.split("HTTP/1.1").length, 2);
});

test("small bodies come through the parser, and the connection stays", async (t) => {
  const bodies: Taken[] = [];
  const socket = await connected(t, async (request, response) => {
    bodies.push(await takeAll(requestBody(request, response)));
    response.end("done");
  });

  for (const word of ["one", "two"]) {
    socket.write(head(3) + word);
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString("latin1"), /connection: keep-alive/i);
  }

  assert.deepEqual(
    bodies.map(({ bytes, direct }) => [bytes.toString("latin1"), direct]),
    [
      ["one", 0],
      ["two", 0],
    ],
  );
});

test("a body of unknown length is read by the parser alone", async (t) => {
  const content = randomBytes(MIB);
  const { promise, resolve } = Promise.withResolvers<Taken>();
  const socket = await connected(t, async (request, response) => {
    resolve(await takeAll(requestBody(request, response)));
    response.end();
  });

  socket.write("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  socket.write(`${content.length.toString(16)}\r\n`);
  socket.write(content);
  socket.write("\r\n0\r\n\r\n");

  const { bytes, direct } = await promise;
  assert.ok(bytes.equals(content));
  assert.equal(direct, 0);
});

test("what came before the connection broke is delivered, and then its error", async (t) => {
  const content = randomBytes(2 * MIB);
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const socket = await connected(t, async (request, response) => {
    const parts: Buffer[] = [];
    const body = requestBody(request, response);
    await assert.rejects(
      async () => {
        for await (const chunk of body) {
          parts.push(Buffer.from(chunk));
          const target = new Uint8Array(MIB);
          parts.push(Buffer.from(target.subarray(0, body.readWaiting?.(target))));
        }
      },
      { code: "ECONNRESET" },
    );
    resolve(Buffer.concat(parts));
  });

  socket.write(head(4 * MIB));
  socket.end(content);

  const arrived = await promise;
  assert.ok(arrived.equals(content.subarray(0, arrived.length)));
  assert.equal(arrived.length, content.length);
});

test("what came last is delivered also when the connection broke while nobody read", async (t) => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = await connected(t, async (request, response) => {
    const parts: string[] = [];
    await assert.rejects(
      async () => {
        for await (const chunk of requestBody(request, response)) {
          parts.push(Buffer.from(chunk).toString("latin1"));
          if (parts.length > 1) continue;
          const closed = Promise.withResolvers<void>();
          request.socket.once("close", closed.resolve);
          socket.end("last");
          await closed.promise;
        }
      },
      { code: "ECONNRESET" },
    );
    resolve(parts.join(" "));
  });

  socket.write(`${head(MIB)}first`);

  assert.equal(await promise, "first last");
});

test("over a closed connection nothing is read", async (t) => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const socket = await connected(t, async (request, response) => {
    const body = requestBody(request, response);
    for await (const _ of body) {
      request.destroy();
      resolve(body.readWaiting?.(new Uint8Array(MIB)) ?? 0);
      return;
    }
  });

  socket.on("error", () => undefined);
  socket.write(head(MIB));
  socket.write(Buffer.alloc(MIB));

  assert.equal(await promise, 0);
  await buffer(socket).catch(() => undefined);
});
