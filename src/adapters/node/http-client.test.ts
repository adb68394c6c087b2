/** The HTTP client against servers on loopback. Time limits run on a clock that the test moves. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { SteppedClock } from "../../../test/support/stepped-clock.ts";
import type { HttpRequestOptions, HttpResponseHead } from "../../ports/http-client.ts";
import { createHttpClient, type HttpClientOptions } from "./http-client.ts";
import { isPrivateAddress, redirectTarget } from "./http-client-guard.ts";

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Starts a server; `origin` is where it is. */
async function serve(
  listener: RequestListener,
  host = "127.0.0.1",
): Promise<{ origin: string; port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer(listener).listen(0, host);
  server.on("connection", (socket) => sockets.add(socket));
  cleanups.push(() => server.close());
  cleanups.push(() => server.closeAllConnections());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { origin: `http://${host}:${port}`, port, sockets };
}

/** All that a sink heard. */
interface Outcome {
  head: HttpResponseHead | undefined;
  body: string;
  end: string;
}

function newClient(options: Partial<HttpClientOptions> = {}) {
  return createHttpClient({ clock: new SteppedClock(), ...options });
}

/** Gets `options.url`; `end` is "end" or the error. */
function get(options: HttpRequestOptions, client = newClient()): Promise<Outcome> {
  const outcome: Outcome = { head: undefined, body: "", end: "" };
  return new Promise((resolve) => {
    const finish = (end: string): void => {
      assert.equal(outcome.end, "", "the sink was ended twice");
      outcome.end = end;
      resolve(outcome);
    };
    client.get(options, {
      onHead: (head) => {
        outcome.head = head;
        return true;
      },
      onData: (chunk) => {
        outcome.body += Buffer.from(chunk).toString("latin1");
      },
      onEnd: () => finish("end"),
      onError: finish,
    });
  });
}

test("an answer comes with its status, its headers in lower case, and its body", async () => {
  const seen: IncomingMessage[] = [];
  const { origin } = await serve((request, response) => {
    seen.push(request);
    response.writeHead(404, { "X-Some": "thing", "Set-Cookie": ["a=1", "b=2"] });
    response.end("not here");
  });

  const outcome = await get({ url: `${origin}/a?b=%00`, headers: { range: "bytes=0-1" } });

  assert.equal(outcome.head?.status, 404);
  assert.equal(outcome.head.headers["x-some"], "thing");
  assert.equal(outcome.head.headers["set-cookie"], "a=1, b=2");
  assert.equal(outcome.body, "not here");
  assert.equal(outcome.end, "end");
  assert.equal(seen[0]?.url, "/a?b=%00");
  assert.equal(seen[0].headers.range, "bytes=0-1");
  assert.equal(seen[0].headers["accept-encoding"], "identity");
});

test("connections are kept, and one that the server has cut meanwhile is replaced", async () => {
  const counts = new Map<Socket, number>();
  const { origin, sockets } = await serve(({ socket }, response) => {
    const count = (counts.get(socket) ?? 0) + 1;
    counts.set(socket, count);
    if (count === 3) socket.destroy();
    else response.end("here");
  });
  const client = newClient();

  for (let i = 0; i < 2; i++) assert.equal((await get({ url: origin }, client)).body, "here");
  assert.equal(sockets.size, 1);
  assert.equal((await get({ url: origin }, client)).body, "here");
  assert.equal(sockets.size, 2);
});

test("a sink that wants no body, and a cancelled request, hear nothing more", async () => {
  const asked: Socket[] = [];
  const { origin } = await serve(({ socket }, response) => {
    asked.push(socket);
    response.write("part");
  });
  const heard: string[] = [];
  const sink = {
    onHead: () => {
      heard.push("head");
      return false;
    },
    onData: () => heard.push("data"),
    onEnd: () => heard.push("end"),
    onError: () => heard.push("error"),
  };
  const clock = new SteppedClock();
  const client = newClient({ clock });

  client.get({ url: origin }, sink);
  client.get({ url: `${origin}/cancelled` }, sink).cancel();
  while (asked[0]?.destroyed !== true) await nextTurn();
  clock.advance(60_000);

  assert.deepEqual(heard, ["head"]);
});

test("a body beyond maxBytes fails the request", async () => {
  const { origin } = await serve((_request, response) => response.end("x".repeat(1001)));

  assert.equal((await get({ url: origin, maxBytes: 1001 })).end, "end");
  const outcome = await get({ url: origin, maxBytes: 1000 });

  assert.equal(outcome.end, `${origin}: the answer has more than 1000 bytes`);
});

test("gzip that a server insists on is decoded, and a bomb is bounded", async () => {
  const { origin } = await serve(({ url }, response) => {
    response.setHeader("content-encoding", "gzip");
    response.end(gzipSync(url === "/bomb" ? Buffer.alloc(50_000_000) : "d8:intervali1800ee"));
  });

  const outcome = await get({ url: origin });
  const bomb = await get({ url: `${origin}/bomb`, maxBytes: 1_000_000 });

  assert.equal(outcome.body, "d8:intervali1800ee");
  assert.equal(bomb.end, `${origin}: the answer has more than 1000000 bytes`);
  assert.ok(bomb.body.length <= 1_000_000);
});

test("other encodings, broken gzip and cut answers fail the request", async () => {
  const { origin } = await serve(({ url }, response) => {
    if (url === "/br") response.setHeader("content-encoding", "br");
    if (url === "/gzip") response.setHeader("content-encoding", "gzip");
    if (url !== "/cut") return response.end("no gzip");
    response.setHeader("content-length", 100);
    return response.write("x", () => response.destroy());
  });

  const ends = await Promise.all(
    ["br", "gzip", "cut"].map(async (path) => (await get({ url: `${origin}/${path}` })).end),
  );

  assert.deepEqual(ends, [
    `${origin}: the answer is encoded in a way that we do not read`,
    `${origin}: incorrect header check`,
    `${origin}: the connection was cut`,
  ]);
});

test("addresses that are none, and servers that are not there, fail the request", async () => {
  for (const url of ["", "nonsense", "file:///etc/passwd", "ftp://h/", "http://u:p@127.0.0.1/"]) {
    const { end } = await get({ url });
    assert.equal(end, "the address: only http and https, without credentials, can be asked");
  }
  const { origin } = await serve(() => {});
  for (const cleanup of cleanups.splice(0)) cleanup();
  assert.match((await get({ url: origin })).end, /ECONNREFUSED/);
});

test("a server that says nothing fails the request after 15 s without a byte", async () => {
  const { origin } = await serve((_request, response) => void response.write("some"));
  const clock = new SteppedClock();
  let onFirstByte = (): void => {};
  const firstByte = new Promise<void>((resolve) => (onFirstByte = resolve));
  const ended = new Promise<string>((resolve) => {
    const sink = {
      onHead: () => true,
      onData: () => onFirstByte(),
      onEnd: () => resolve("end"),
      onError: resolve,
    };
    newClient({ clock }).get({ url: origin }, sink);
  });

  clock.advance(14_000);
  await firstByte;
  clock.advance(14_000);
  assert.equal(clock.pendingCount, 1);
  clock.advance(1000);

  assert.equal(await ended, `${origin}: nothing came for 15 s`);
  assert.equal(clock.pendingCount, 0);
});

test("redirects are followed, three at most, without what only the first server may know", async () => {
  const target = await serve(({ headers }, response) =>
    response.end(`${headers.authorization} ${headers.range}`),
  );
  const { origin } = await serve(({ url, headers }, response) => {
    const count = Number(url?.slice(1));
    const location = count === 0 ? target.origin : `/${count - 1}`;
    if (headers.authorization === undefined) response.end("lost");
    else response.writeHead(302, { location }).end("moved");
  });
  const headers = { authorization: "Bearer x", range: "bytes=0-" };

  assert.equal((await get({ url: `${origin}/2`, headers })).body, "undefined bytes=0-");
  assert.equal(
    (await get({ url: `${origin}/3`, headers })).end,
    `${origin}: it redirects too often`,
  );
  assert.equal(
    (await get({ url: `${origin}/0`, headers, maxRedirects: 0 })).end,
    `${origin}: it redirects too often`,
  );
});

test("HTP-35 redirects to files, and from the Internet into a private network, are refused", async () => {
  let location = "";
  const { origin } = await serve(
    (_request, response) => response.writeHead(301, { location }).end(),
    "127.0.0.2",
  );
  const { port, sockets } = await serve((_request, response) => response.end("secret"));
  // For this test 127.0.0.2 is the Internet.
  const client = newClient({ isPrivate: (address) => /^(127\.0\.0\.1|::1)$/.test(address) });

  for (const [to, why] of [
    ["file:///etc/passwd", /which is no web address$/],
    [`http://127.0.0.1:${port}/`, /redirects to the private address 127\.0\.0\.1$/],
    [`http://0x7f.1:${port}/`, /redirects to the private address 127\.0\.0\.1$/],
    [`http://localhost:${port}/`, /localhost has the private address/],
  ] as const) {
    location = to;
    assert.match((await get({ url: origin }, client)).end, why);
  }
  assert.equal(sockets.size, 0);
});

test("a private server may redirect to a private one", () => {
  const target = redirectTarget(
    { url: new URL("http://10.0.0.1/a"), beganPrivately: true, isPrivate: isPrivateAddress },
    "http://10.0.0.2/b",
  );

  assert.equal(String(target), "http://10.0.0.2/b");
});

test("HTP-35 a redirect from https to http is refused", () => {
  const source = {
    url: new URL("https://t.example/a"),
    beganPrivately: false,
    isPrivate: isPrivateAddress,
  };

  assert.equal(redirectTarget(source, "http://t.example/a"), "it redirects from https to http");
  assert.equal(String(redirectTarget(source, "/b")), "https://t.example/b");
  assert.equal(redirectTarget(source, "https://[::1]/"), "it redirects to the private address ::1");
});

test("private addresses are this machine's and those of private networks", () => {
  const isPrivate = [
    "127.0.0.1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "169.254.1.1",
    "0.0.0.0",
  ];
  const isPrivate6 = ["::1", "::", "fd00::1", "fe80::1%eth0", "::ffff:127.0.0.1", "100.64.0.1"];
  const isPublic = ["192.0.2.1", "172.32.0.1", "2001:db8::1", "::ffff:192.0.2.1", "host.example"];

  for (const address of [...isPrivate, ...isPrivate6])
    assert.ok(isPrivateAddress(address), address);
  for (const address of isPublic) assert.ok(!isPrivateAddress(address), address);
});
