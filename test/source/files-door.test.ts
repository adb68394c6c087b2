import assert from "node:assert/strict";
import {
  appendFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import { TokenBucket } from "../../src/base/token-bucket.ts";
import {
  type DoorWorld,
  type DoorWorldOptions,
  openDoor,
  rawRequest,
} from "../support/door-world.ts";
import type { ContentSpec } from "../support/made-content.ts";

const directory: ContentSpec = {
  name: "a dir",
  files: [
    { path: "first.bin", length: 100_000 },
    { path: "sub/ünï “x”.bin", length: 50_001 },
    { path: "sub/empty", length: 0 },
    { path: "last", length: 3 },
  ],
};

async function open(
  t: TestContext,
  spec: ContentSpec,
  options?: DoorWorldOptions,
): Promise<DoorWorld> {
  const world = await openDoor(spec, options);
  t.after(() => world.close());
  return world;
}

function fileBytes({ content }: DoorWorld, index: number): Uint8Array {
  const file = content.info.files[index];
  assert.ok(file);
  return content.bytes.subarray(file.offset, file.offset + file.length);
}

test("a file is answered whole, with everything a browser and a downloader need", async (t) => {
  const world = await open(t, directory);

  const target = `/files/thing/a%20dir/sub/${encodeURIComponent("ünï “x”.bin")}`;
  const { status, headers, body } = await rawRequest(world.port, `GET ${target} HTTP/1.1`);

  assert.equal(status, 200);
  assert.deepEqual(body, Buffer.from(fileBytes(world, 1)));
  const { infoHash } = world.publication;
  assert.equal(headers["content-length"], "50001");
  assert.equal(headers["accept-ranges"], "bytes");
  assert.equal(headers["etag"], `"${infoHash}-1"`);
  assert.equal(headers["last-modified"], "Tue, 03 Feb 2026 04:05:06 GMT");
  assert.equal(headers["content-type"], "application/octet-stream");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(
    headers["content-disposition"],
    `attachment; filename="_n_ _x_.bin"; filename*=UTF-8''%C3%BCn%C3%AF%20%E2%80%9Cx%E2%80%9D.bin`,
  );
});

test("HEAD says the same and sends nothing", async (t) => {
  const world = await open(t, { name: "f.bin", files: 70_000 });

  const { status, headers, body } = await rawRequest(
    world.port,
    "HEAD /files/thing/f.bin HTTP/1.1",
  );

  assert.deepEqual([status, headers["content-length"], body.length], [200, "70000", 0]);
  assert.equal(world.publication.ledger.sentBytes, 0);
});

test("API-21 ranges at the door", async (t) => {
  const world = await open(t, { name: "f.bin", files: 70_000 });
  const all = Buffer.from(world.content.bytes);
  const many = Array.from({ length: 1000 }, (_, i) => `${2 * i}-${2 * i}`).join(",");
  const rows: readonly (readonly [range: string, status: number, body: Buffer, says?: string])[] = [
    ["bytes=0-0", 206, all.subarray(0, 1), "bytes 0-0/70000"],
    ["bytes=-1", 206, all.subarray(69_999), "bytes 69999-69999/70000"],
    ["bytes=65530-65545", 206, all.subarray(65_530, 65_546), "bytes 65530-65545/70000"],
    ["bytes=69990-99999999999999999999", 206, all.subarray(69_990), "bytes 69990-69999/70000"],
    ["bytes=5-2", 416, Buffer.alloc(0), "bytes */70000"],
    ["bytes=70000-", 416, Buffer.alloc(0), "bytes */70000"],
    [`bytes=${many}`, 200, all],
    ["bytes=0-0,-1", 200, all],
  ];
  for (const [range, status, body, says] of rows) {
    const answer = await rawRequest(world.port, "GET /files/thing/f.bin HTTP/1.1", { range });

    assert.equal(answer.status, status, range);
    assert.equal(answer.headers["content-range"], says, range);
    if (status !== 416) assert.ok(answer.body.equals(body), range);
  }
});

test("API-22 no spelling of a path leads out of what was published", async (t) => {
  const world = await open(t, directory);
  writeFileSync(`${world.directory}/secret`, "secret");
  symlinkSync("/etc/passwd", `${world.directory}/a dir/link`);
  const targets = [
    "/files/..%2f..%2fetc/passwd",
    "/files/thing/..%2f..%2fetc/passwd",
    "/files/thing/a%20dir/..%2fsecret",
    "/files/thing/a%20dir/../secret",
    "/files/thing/a%20dir/%2e%2e/secret",
    "/files/thing/a%20dir/%2e%2e%2fsecret",
    "/files/thing/a%20dir/..;/secret",
    "/files/thing/a%20dir/%252e%252e/secret",
    "/files/thing/a%20dir/..\\secret",
    "/files/thing/a%20dir/..%5csecret",
    "/files/thing/a%20dir/first.bin%00",
    "/files/thing/a%20dir/%00",
    "/files/thing/a%20dir/link",
    "/files/thing/a%20dir/sub%2fempty",
    "/files/thing/a%20dir//first.bin",
    "/files/thing//a%20dir/first.bin",
    "/files/thing/a%20dir/first.bin/",
    "/files/thing/a%20dir/./first.bin",
    "/files/thing/a%20dir/%c0%ae%c0%ae/secret",
    "/files/thing/a%20dir/%",
    "/files/thing/a%20dir/%zz",
    "/files/thing/a%20dir/first.bin%",
    "/files/thing/a%20dir",
    "/files/thing/a%20dir/",
    "/files/thing/a%20dir/sub",
    "/files/thing",
    "/files/thing/",
    "/files",
    "/files/",
    "/files//",
    "/filez/thing/a%20dir/last",
    "http://x/files/thing/a%20dir/last",
    "/files/other/a%20dir/first.bin",
    "/files/THING/a%20dir/first.bin",
    `/files/thing/a%20dir/${"x".repeat(10_000)}`,
    "/files/__proto__/constructor",
    "/files/thing/__proto__",
  ];
  for (const target of targets) {
    const { status, body } = await rawRequest(world.port, `GET ${target} HTTP/1.1`);

    assert.equal(status, 404, target);
    assert.ok(!body.includes("secret"), target);
  }
});

test("a query is not part of the path", async (t) => {
  const world = await open(t, directory);

  const { status } = await rawRequest(world.port, "GET /files/thing/a%20dir/last?x=/../y HTTP/1.1");

  assert.equal(status, 200);
});

test("other methods are refused", async (t) => {
  const world = await open(t, directory);
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const { status, headers } = await rawRequest(
      world.port,
      `${method} /files/thing/a%20dir/last HTTP/1.1`,
      { "content-length": "0" },
    );

    assert.deepEqual([status, headers["allow"]], [405, "GET, HEAD"], method);
  }
});

test("an empty file is answered", async (t) => {
  const world = await open(t, directory);

  const { status, headers } = await rawRequest(
    world.port,
    "GET /files/thing/a%20dir/sub/empty HTTP/1.1",
  );

  assert.deepEqual([status, headers["content-length"]], [200, "0"]);
});

test("conditions: what the client has already is not sent again", async (t) => {
  const world = await open(t, { name: "f.bin", files: 100 });
  const etag = `"${world.publication.infoHash}-0"`;
  const date = "Tue, 03 Feb 2026 04:05:06 GMT";
  const range = { range: "bytes=0-9" };
  const rows: readonly (readonly [headers: Record<string, string>, status: number])[] = [
    [{ "if-none-match": etag }, 304],
    [{ "if-none-match": `"x", W/${etag}` }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"x"' }, 200],
    [{ "if-none-match": '"x"', "if-modified-since": date }, 200],
    [{ "if-modified-since": date }, 304],
    [{ "if-modified-since": "Tue, 03 Feb 2026 04:05:05 GMT" }, 200],
    [{ "if-modified-since": "nonsense" }, 200],
    [{ ...range, "if-range": etag }, 206],
    [{ ...range, "if-range": date }, 206],
    [{ ...range, "if-range": `W/${etag}` }, 200],
    [{ ...range, "if-range": '"x"' }, 200],
    [{ ...range, "if-range": "Tue, 03 Feb 2026 04:05:07 GMT" }, 200],
  ];
  for (const [headers, status] of rows) {
    const answer = await rawRequest(world.port, "GET /files/thing/f.bin HTTP/1.1", headers);

    assert.equal(answer.status, status, JSON.stringify(headers));
  }
});

test("the ledger has every byte of the body, by piece and by door", async (t) => {
  const world = await open(t, { ...directory, pieceLength: 16 * 1024 });
  const { ledger } = world.publication;
  const get = (range: string, agent: string) =>
    rawRequest(world.port, "GET /files/thing/a%20dir/first.bin HTTP/1.1", {
      range,
      "user-agent": agent,
    });

  await get("bytes=0-16383", "libtorrent/2.0.9.0");
  await get("bytes=16380-16389", "curl/8.5.0");
  await rawRequest(world.port, "GET /files/thing/a%20dir/last HTTP/1.1");

  const taken = ledger
    .takeEntries(0)
    .map(({ door, address, pieceIndex, bytes }) => [door, address, pieceIndex, bytes]);
  assert.deepEqual(taken, [
    ["webseed", "127.0.0.1", 0, 16_384],
    ["http", "127.0.0.1", 0, 4],
    ["http", "127.0.0.1", 1, 6],
    ["http", "127.0.0.1", 9, 3],
  ]);
});

test("a large file arrives whole, and all of it is in the ledger", async (t) => {
  const world = await open(t, { name: "f.bin", files: 5_000_000, pieceLength: 256 * 1024 });

  const { body } = await rawRequest(world.port, "GET /files/thing/f.bin HTTP/1.1");

  assert.ok(body.equals(world.content.bytes));
  assert.equal(world.publication.ledger.sentBytes, 5_000_000);
});

test("S9 a file that looks different is not served, and is told", async (t) => {
  const changes: readonly (readonly [name: string, change: (path: string) => void])[] = [
    ["longer", (path) => appendFileSync(path, "x")],
    ["touched", (path) => utimesSync(path, 1, 1)],
    ["gone", (path) => rmSync(path)],
    [
      "a link to the same bytes",
      (path) => (renameSync(path, `${path}2`), symlinkSync(`${path}2`, path)),
    ],
  ];
  for (const [name, change] of changes) {
    const world = await open(t, { name: "f.bin", files: 1000 });
    change(world.pathOf(0));
    for (const method of ["GET", "HEAD"]) {
      const answer = await rawRequest(world.port, `${method} /files/thing/f.bin HTTP/1.1`);

      assert.equal(answer.status, 503, name);
      assert.equal(answer.headers["retry-after"], "60");
      assert.ok(!answer.body.includes(Buffer.from(world.content.bytes.subarray(0, 16))));
    }
    assert.deepEqual(world.changed, [world.pathOf(0), world.pathOf(0)]);
  }
});

test("a withdrawn publication is answered with 503", async (t) => {
  const world = await open(t, { name: "f.bin", files: 1000 });
  const reason = { code: "file-changed" as const, path: world.pathOf(0) };
  world.publication.state = { name: "withdrawn", reason };

  const answer = await rawRequest(world.port, "GET /files/thing/f.bin HTTP/1.1");

  assert.equal(answer.status, 503);
});

test("S9 a file that changes while it is sent ends the transfer", async (t) => {
  // At 64 KiB a burst and virtual time, the transfer waits where the test wants it to.
  const clock = new VirtualClock();
  const uploadLimit = new TokenBucket(1000, 64 * 1024);
  const world = await open(t, { name: "f.bin", files: 300_000 }, { clock, uploadLimit });
  const socket = connect(world.port, "127.0.0.1");
  socket.write("GET /files/thing/f.bin HTTP/1.1\r\nhost: x\r\n\r\n");
  const received: Buffer[] = [];
  socket.on("data", (data) => received.push(data));
  while (Buffer.concat(received).length < 64 * 1024) await once(socket, "data");

  utimesSync(world.pathOf(0), 1, 1);
  await clock.run({ until: clock.now() + 100_000 });
  await once(socket, "close");

  const body = Buffer.concat(received);
  assert.ok(body.length < 66 * 1024, "nothing that was read after the change was sent");
  assert.deepEqual(world.changed, [world.pathOf(0)]);
});

test("the shared limit holds the door to its rate", async (t) => {
  const clock = new VirtualClock();
  const uploadLimit = new TokenBucket(1_000_000, 64 * 1024);
  const world = await open(t, { name: "f.bin", files: 1_000_000 }, { clock, uploadLimit });
  const socket = connect(world.port, "127.0.0.1");
  socket.write("GET /files/thing/f.bin HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  let received = 0;
  socket.on("data", (data) => {
    received += data.length;
    assert.ok(received <= 1000 + 64 * 1024 + clock.now() * 1000 + 64 * 1024);
  });
  while (!socket.closed) {
    await clock.run({ until: clock.now() + 1 });
    await new Promise(setImmediate);
  }

  assert.ok(received > 1_000_000);
  assert.ok(clock.now() >= 900);
});

test("a client that goes away in the middle leaves nothing open", async (t) => {
  const world = await open(t, { name: "f.bin", files: 8_000_000 });
  const socket = connect(world.port, "127.0.0.1");
  socket.write("GET /files/thing/f.bin HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(socket, "data");
  socket.destroy();

  const connection = await new Promise<number>((done) => {
    const look = (): void => {
      world.server.getConnections((_, count) => (count === 0 ? done(count) : setImmediate(look)));
    };
    look();
  });

  assert.equal(connection, 0);
  assert.ok(world.publication.ledger.sentBytes < 8_000_000);
});

test("a client that takes nothing for a minute is given up", async (t) => {
  const clock = new VirtualClock();
  const world = await open(t, { name: "f.bin", files: 32_000_000 }, { clock });
  const socket = connect(world.port, "127.0.0.1");
  socket.write("GET /files/thing/f.bin HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(socket, "readable");
  const closed = once(world.server, "connection-closed");
  world.server.getConnections((_, count) => assert.equal(count, 1));
  const look = (): void => {
    world.server.getConnections((_, count) => {
      if (count === 0) world.server.emit("connection-closed");
      else void clock.run({ until: clock.now() + 1000 }).then(() => setImmediate(look));
    });
  };
  look();
  await closed;

  assert.ok(clock.now() >= 60_000);
  socket.destroy();
});

test("keep-alive: the next file follows on the same connection", async (t) => {
  const world = await open(t, directory);
  const socket = connect(world.port, "127.0.0.1");
  const get = "GET /files/thing/a%20dir/last HTTP/1.1\r\nhost: x\r\n";
  socket.write(`${get}\r\n${get}connection: close\r\n\r\n`);

  const received = Buffer.concat(await socket.toArray()).toString("latin1");

  assert.equal(received.split("HTTP/1.1 200 OK").length, 3);
});

test("S1 T13 whoever is not admitted finds nothing, and a transfer ends when that begins", async (t) => {
  const admitted = new Set(["127.0.0.1"]);
  const world = await open(
    t,
    { name: "f.bin", files: [{ path: "f.bin", length: 64 * 2 ** 20 }] },
    { admits: (host) => admitted.has(host) },
  );
  const socket = connect(world.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write("GET /files/thing/f.bin HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(socket, "data");
  admitted.clear();
  let bytes = 0;
  socket.on("data", (data) => (bytes += data.length));
  await once(socket, "close");
  assert.ok(bytes < 64 * 2 ** 20);

  const hidden = await rawRequest(world.port, "GET /files/thing/f.bin HTTP/1.1");
  const missing = await rawRequest(world.port, "GET /files/nothing/f.bin HTTP/1.1");
  assert.equal(hidden.status, 404);
  assert.deepEqual(hidden.body, missing.body);
});

test("who is to wait gets 503 at the web seed, with the time, and never at the files", async (t) => {
  const hosts: string[] = [];
  const webSeedWait = (host: string): number => {
    hosts.push(host);
    return 30;
  };
  const world = await open(t, directory, { webSeedWait });
  for (const method of ["GET", "HEAD"]) {
    const asked = await rawRequest(world.port, `${method} /webseed/thing/a%20dir/last HTTP/1.1`);
    assert.deepEqual([asked.status, asked.headers["retry-after"]], [503, "30"], method);
  }
  assert.deepEqual(hosts, ["127.0.0.1", "127.0.0.1"]);

  const file = await rawRequest(world.port, "GET /files/thing/a%20dir/last HTTP/1.1");
  assert.deepEqual([file.status, file.body.length], [200, 3]);
  const nothing = await rawRequest(world.port, "GET /webseed/thing/nothing HTTP/1.1");
  assert.equal(nothing.status, 404);
  assert.equal(hosts.length, 2, "nobody is asked about what is not there");
});

test("who need not wait is served by the web seed", async (t) => {
  const world = await open(t, directory, { webSeedWait: () => undefined });
  const { status, body } = await rawRequest(world.port, "GET /webseed/thing/a%20dir/last HTTP/1.1");
  assert.deepEqual([status, body.length], [200, 3]);
});
