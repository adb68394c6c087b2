import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { type TestContext, test } from "node:test";
import { BtPublisherError } from "../../base/errors.ts";
import { formatIp } from "../../base/ip-address.ts";
import { beforeRenewal } from "../../../test/support/tls-identities.ts";
import { type FrontLimits, FrontServer, type TlsIdentity } from "./front-server.ts";

const echo = (door: string) => (request: IncomingMessage, response: ServerResponse) => {
  request.on("error", () => undefined);
  request.resume();
  request.once("end", () => response.end(`${door} ${request.url}`));
};

async function startServer(t: TestContext, limits: Partial<FrontLimits> = {}, tls?: TlsIdentity) {
  const server = await FrontServer.open({ host: "127.0.0.1", port: 0, tls, limits });
  t.after(() => server.close());
  server.serve({
    announces: {
      answer: ({ bytes, start, end, key = "" }, { address }, isLast) => {
        const query = Buffer.from(bytes.subarray(start, end)).toString("latin1");
        const body = `fast ${key}?${query} ${formatIp(address)}`;
        const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}`;
        return Buffer.from(`${head}\r\n${isLast ? "Connection: close\r\n" : ""}\r\n${body}`);
      },
      isProxy: () => false,
    },
    routes: [
      { prefix: "/announce", takesLongUrls: true, handle: echo("tracker") },
      { prefix: "/files", handle: echo("files") },
    ],
    fallback: echo("pages"),
    upgrade: undefined,
  });
  return server;
}

/** Sends `text` as it is; resolves with all that comes until the server closes. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
  socket.on("error", () => undefined);
  socket.write(text);
  await new Promise((resolve) => socket.once("close", resolve));
  return answer;
}

const get = (path: string, more = "") =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}\r\n`;
const statusOf = (answer: string) => Number(answer.slice(9, 12));

test("dispatches by path alone", async (t) => {
  const { port } = await startServer(t);
  const table = [
    ["/announce?info_hash=x", "fast ?info_hash=x 127.0.0.1"],
    ["/announce/key", "fast key? 127.0.0.1"],
    ["/announce/a/b", "tracker /announce/a/b"],
    ["/announce/%41", "tracker /announce/%41"],
    ["/announcement", "pages /announcement"],
    ["//announce", "pages //announce"],
    ["/ANNOUNCE", "pages /ANNOUNCE"],
    ["/files/a/b", "files /files/a/b"],
    ["/", "pages /"],
  ] as const;
  for (const [path, expected] of table) {
    assert.ok((await exchange(port, get(path))).endsWith(expected), path);
  }
});

test("answers 503 until its doors are open", async (t) => {
  const server = await FrontServer.open({ host: "127.0.0.1", port: 0, tls: undefined });
  t.after(() => server.close());
  assert.equal(statusOf(await exchange(server.port, get("/"))), 503);
});

test("HTP-27 a URL or a head that is too long is refused", async (t) => {
  const { port } = await startServer(t);
  assert.equal(statusOf(await exchange(port, get(`/${"x".repeat(5_000)}`))), 414);
  assert.equal(statusOf(await exchange(port, get(`/announce?${"a=b&".repeat(1_500)}`))), 200);
  assert.equal(statusOf(await exchange(port, get(`/announce?${"a=b&".repeat(10_000)}`))), 431);
  assert.equal(statusOf(await exchange(port, get("/", `X: ${"y".repeat(10_000)}\r\n`))), 431);
});

test("HTP-28 T7 a head that does not end is cut", async (t) => {
  const { port } = await startServer(t, { headTimeoutMs: 100 });
  assert.equal(statusOf(await exchange(port, "GET / HTTP/1.1\r\nHost: x\r\n")), 408);
});

test("HTP-29 a thousand requests at once on one connection are answered in order", async (t) => {
  const { port } = await startServer(t);
  const paths = Array.from({ length: 1000 }, (_, i) => `/announce?n=${i}`);
  const requests = paths.slice(0, -1).map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const answer = await exchange(port, requests.join("") + get(paths.at(-1) as string));
  const answered = [...answer.matchAll(/fast (\?n=\d+)/g)].map(([, query]) => `/announce${query}`);
  assert.deepEqual(answered, paths);
});

test("HTP-29 announces and other requests in turns on one connection", async (t) => {
  const { port } = await startServer(t);
  const paths = ["/announce?1", "/files", "/announce?2", "/", "/announce?3"];
  const requests = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const answer = await exchange(port, requests.join("") + get("/announce?4"));
  const answered = [
    ...answer
      .replaceAll("HTTP/1.1", "\n")
      .matchAll(/(?:fast|files|pages|tracker) [/?]\w*(?:[/?]\d)?/g),
  ].map(([text]) => text);
  assert.deepEqual(answered, [
    "fast ?1",
    "files /files",
    "tracker /announce?2",
    "pages /",
    "tracker /announce?3",
    "tracker /announce?4",
  ]);
});

test("the last answer of a connection arrives whole, whatever follows the request, over TLS too", async (t) => {
  const query = "x".repeat(3_000);
  const { port } = await startServer(t);
  const request = get(`/announce?${query}`);
  assert.ok((await exchange(port, request)).endsWith(`?${query} 127.0.0.1`));
  assert.ok((await exchange(port, `${request}\r\n`)).endsWith(`?${query} 127.0.0.1`));

  const secure = await startServer(t, {}, beforeRenewal);
  const socket = connectTls({ port: secure.port, host: "127.0.0.1", rejectUnauthorized: false });
  socket.end(request);
  const answer = (await socket.setEncoding("utf8").toArray()).join("");
  assert.ok(answer.endsWith(`?${query} 127.0.0.1`));
});

test("who ends its side right after a request gets the answer, also on a connection to be kept", async (t) => {
  const { port } = await startServer(t);
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(
    "GET /announce?1 HTTP/1.1\r\nHost: x\r\n\r\nGET /announce?2 HTTP/1.1\r\nHost: x\r\n\r\n",
  );
  const answer = (await socket.setEncoding("utf8").toArray()).join("");
  assert.match(answer, /fast \?1 .*fast \?2 /s);
});

test("HTP-28 T7 an announce byte by byte is read, and cut when it takes too long", async (t) => {
  const { port } = await startServer(t);
  const socket = connect(port, "127.0.0.1");
  for (const byte of get("/announce?slow")) {
    socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.match(answer.toString(), /fast \?slow/);
  socket.destroy();

  const { port: impatient } = await startServer(t, { headTimeoutMs: 1 });
  assert.equal(await exchange(impatient, "GET /announce?x HTTP/1.1\r\n"), "");
});

test("T7 an address has so many connections and no more", async (t) => {
  const { port } = await startServer(t, { maxConnectionsPerAddress: 2 });
  const held = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
  await Promise.all(held.map((socket) => once(socket, "connect")));
  assert.equal(await exchange(port, get("/announce?x")), "");
  for (const socket of held) socket.destroy();
  while ((await exchange(port, get("/announce?x"))) === "") continue;
});

test("T7 handshakes of TLS that are not done yet are connections of their address, too", async (t) => {
  const { port } = await startServer(t, { maxConnectionsPerAddress: 2 }, beforeRenewal);
  const answers = async (): Promise<boolean> => {
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    let answer = "";
    socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
    socket.on("error", () => undefined);
    socket.write(get("/announce?x"));
    await new Promise((resolve) => socket.once("close", resolve));
    return answer !== "";
  };
  assert.ok(await answers());
  const silent = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
  await Promise.all(silent.map((socket) => once(socket, "connect")));
  assert.ok(!(await answers()), "a third connection of the address");
  for (const socket of silent) socket.destroy();
  for (let i = 0; i < 1000 && !(await answers()); i++) continue;
  assert.ok(await answers(), "none of those that ended is counted any more");
});

test("HTP-30 shapes of request smuggling are refused and the connection is closed", async (t) => {
  const { port } = await startServer(t);
  const heads = [
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\nabc",
    "GET / HTTP/1.1\nHost: x\n\n",
    "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
  ];
  const announces = heads.map((head) => head.replace(/^\w+ \//, "GET /announce"));
  for (const head of [...heads, ...announces]) {
    assert.equal(statusOf(await exchange(port, head)), 400, head);
  }
});

test("HTP-31 no Host or two of them are refused", async (t) => {
  const { port } = await startServer(t);
  assert.equal(statusOf(await exchange(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")), 400);
  assert.equal(statusOf(await exchange(port, get("/", "Host: y\r\n"))), 400);
  assert.equal(statusOf(await exchange(port, get("/announce", "Host: y\r\n"))), 400);
});

test("API-28 TRACE, CONNECT, HTTP/0.9 and absolute targets get nowhere", async (t) => {
  const { port } = await startServer(t);
  assert.equal(statusOf(await exchange(port, get("/").replace("GET", "TRACE"))), 405);
  assert.equal(await exchange(port, "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"), "");
  assert.equal(statusOf(await exchange(port, "GET /\r\n\r\n")), 400);
  assert.equal(statusOf(await exchange(port, get("http://evil.example/"))), 400);
  assert.equal(statusOf(await exchange(port, get("*"))), 400);
});

test("an upgrade that nobody takes gets 404, and its connection ends", async (t) => {
  const server = await startServer(t, { drainMs: 2 ** 31 - 1 });
  const { port } = server;
  const head = get("/nothing")
    .replace("close", "Upgrade")
    .replace("\r\n\r\n", "\r\nUpgrade: x\r\n\r\n");
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.write(head);
  assert.equal(statusOf((await socket.setEncoding("utf8").toArray()).join("")), 404);
  // Its side is still open: that holds up nobody.
  await server.close();
  socket.destroy();
});

test("nobody who stays on holds up the end of the server", async () => {
  const server = await FrontServer.open({
    host: "127.0.0.1",
    port: 0,
    tls: undefined,
    limits: { drainMs: 1 },
  });
  const taken = Promise.withResolvers<void>();
  const upgrade = () => {
    taken.resolve();
    return true;
  };
  server.serve({ routes: [], fallback: undefined, upgrade });
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  await taken.promise;
  await Promise.all([once(socket, "close"), server.close()]);
});

test("UPL-09 a body that stands still is cut with 408", async (t) => {
  const { port } = await startServer(t, { bodyWindowMs: 50 });
  const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
  assert.equal(statusOf(await exchange(port, `${head}abc`)), 408);
});

test("API-27 a thousand slow bodies take the places of their address only, and are cut", async (t) => {
  const { port } = await startServer(t, { bodyWindowMs: 2000 });
  const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc";
  const connectFrom = (localAddress: string) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    socket.on("error", () => undefined);
    return socket;
  };
  const slow = Array.from({ length: 1000 }, () => connectFrom("127.0.0.2"));
  await Promise.all(slow.map((socket) => once(socket, "connect")));
  const answers = slow.map(async (socket) => {
    let answer = "";
    socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
    socket.write(head);
    await new Promise((resolve) => socket.once("close", resolve));
    return statusOf(answer);
  });

  const tooMany = connectFrom("127.0.0.2");
  await new Promise((resolve) => tooMany.once("close", resolve));
  assert.equal(statusOf(await exchange(port, get("/x"))), 200, "others are served");
  assert.deepEqual(new Set(await Promise.all(answers)), new Set([408]));
  const again = connectFrom("127.0.0.2");
  again.write(get("/x"));
  const [answer] = (await once(again, "data")) as [Buffer];
  assert.equal(statusOf(answer.toString()), 200, "the address has its places back");
});

test("CFG-04 a port in use is named", async (t) => {
  const { port } = await startServer(t);
  await assert.rejects(
    FrontServer.open({ host: "127.0.0.1", port, tls: undefined }),
    (error) =>
      error instanceof BtPublisherError &&
      error.code === "UNAVAILABLE" &&
      error.message.includes(`127.0.0.1, port ${port}`) &&
      error.message.endsWith("choose another port with --http-port"),
  );
});

test("bad TLS files are told apart from a port that is taken", async () => {
  const tls = { cert: Buffer.from("x"), key: Buffer.from("y") };
  await assert.rejects(FrontServer.open({ host: "127.0.0.1", port: 0, tls }), { code: "CONFIG" });
});
