import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { publishThing, startApp } from "../../../test/support/announcer-app.ts";
import { testWebBuild } from "../../../test/support/web-build.ts";
import { bodyOf } from "../../../test/support/announcer-world.ts";
import { decodeBencode } from "../../protocol/bencode/decode.ts";
import { BencodeDictionary } from "../../protocol/bencode/value.ts";
import { publicAccess } from "../../ports/catalogue.ts";
import { defaultPolicy } from "../policy.ts";

test("the .torrent has today's trackers and web seeds, and an attachment's headers", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  world.control.urls = ["http://new.example/announce", "udp://new.example:6969"];
  await world.clock.run({ until: 3_000 });

  const response = await world.get("/p/some-thing.torrent");

  assert.equal(response.headers["content-type"], "application/x-bittorrent");
  assert.equal(
    response.headers["content-disposition"],
    'attachment; filename="some-thing.torrent"',
  );
  assert.equal(response.headers["x-content-type-options"], "nosniff");
  const decoded = decodeBencode(response.rawPayload);
  assert.ok(decoded.ok && decoded.value instanceof BencodeDictionary);
  assert.equal(decoded.value.getText("announce"), "http://new.example/announce");
  assert.equal([...(decoded.value.getList("announce-list") ?? [])].length, 2);
  const [webSeed] = [...(decoded.value.getList("url-list") ?? [])];
  assert.equal(
    new TextDecoder().decode(webSeed as Uint8Array),
    "http://pub.example/webseed/some-thing/",
  );
  const raw = decoded.value.rawOf("info") as Uint8Array;
  const publication = await world.catalogue.get("some-thing");
  assert.equal(createHash("sha1").update(raw).digest("hex"), publication?.content?.infoHash);
  const again = await world.get("/p/some-thing.torrent", {
    "if-none-match": String(response.headers["etag"]),
  });
  assert.equal(again.statusCode, 304);
});

test("the download page has every way to get the files", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const { infoHash } = (await world.catalogue.get("some-thing"))?.content ?? {};
  world.control.swarmCounts.set(infoHash as never, { complete: 3, incomplete: 2, downloaded: 7 });

  const { body, headers } = await world.get("/p/some-thing");

  for (const part of [
    'href="/p/some-thing.torrent"',
    'href="magnet:?xt=urn:btih:',
    'href="/files/some-thing/Some%20Thing/a.txt"',
    "btpublisher get http://pub.example/p/some-thing",
    "curl -fL -C - -o a.txt http://pub.example/files/some-thing/Some%20Thing/a.txt",
    createHash("sha256").update("hello").digest("hex"),
    "The server is helping you now. 3 complete copies, 2 downloading.",
    '<link rel="stylesheet" href="/assets/style-1.css">',
    '<script type="module" src="/assets/app-1.js">',
  ]) {
    assert.ok(body.includes(part), part);
  }
  const policy = String(headers["content-security-policy"]);
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.match(policy, /frame-ancestors 'none'; base-uri 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.ok((await world.get("/")).body.includes('<a href="/p/some-thing">'));
  assert.match(
    (await world.get("/p/some-thing.sha256")).body,
    /^# BitTorrent info hash [0-9a-f]{40}\n[0-9a-f]{64} {2}Some Thing\/a.txt\n/,
  );
});

test("the longest name has its page and its .torrent", async (t) => {
  const world = await startApp(t);
  const name = "n".repeat(100);
  const payload = {
    name,
    contentName: "x",
    isDirectory: false,
    files: [{ path: ["x"], length: 0 }],
  };
  await world.send({ method: "POST", url: "/api/v1/publications", payload });
  await world.send({ method: "POST", url: `/api/v1/publications/${name}/publish` });

  for (const ending of ["", ".torrent", ".sha256"]) {
    assert.equal((await world.get(`/p/${name}${ending}`)).statusCode, 200, ending);
  }
});

test("a hostile name is text on every page", async (t) => {
  const world = await startApp(t);
  const evil = `<script>alert(1)</script>"'&\${x}`;
  await world.send({
    method: "POST",
    url: "/api/v1/publications",
    payload: {
      name: "evil",
      contentName: evil,
      isDirectory: true,
      files: [{ path: [evil], length: 0 }],
    },
  });
  await world.send({ method: "POST", url: "/api/v1/publications/evil/publish" });

  for (const url of ["/", "/p/evil"]) {
    const { statusCode, body } = await world.get(url);
    assert.equal(statusCode, 200);
    assert.ok(!body.includes("<script>"), url);
    assert.ok(body.includes("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"), url);
  }
});

test("UPL-17 markup in a .torrent stays a download of its fixed type", async (t) => {
  const world = await startApp(t);
  const { publications } = world.announcer;
  const name = "<html><script>alert(1)</script>";
  await publications.plan({
    name: "x",
    contentName: name,
    isDirectory: false,
    files: [{ path: [name], length: 1 }],
    policy: defaultPolicy,
    access: publicAccess,
  });
  await publications.append("x", { fileIndex: 0, offset: 0 }, bodyOf("x"));
  await publications.publish("x", { pieceLength: undefined, isPrivate: false });

  const { headers, body } = await world.get("/p/x.torrent");

  assert.ok(body.includes(name));
  assert.equal(headers["content-type"], "application/x-bittorrent");
  assert.match(String(headers["content-disposition"]), /^attachment/);
  assert.equal(headers["x-content-type-options"], "nosniff");
});

test("pages live on while the Tracker is away", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  assert.equal((await world.get("/p/some-thing.torrent")).statusCode, 200);
  world.control.isCut = true;
  await world.clock.run({ until: 10_000 });

  assert.equal((await world.get("/p/some-thing.torrent")).statusCode, 200);
  assert.match((await world.get("/p/some-thing")).body, /number of peers is not known/);
});

test("built files are kept for ever, in the smallest form that the browser takes", async (t) => {
  const world = await startApp(t);
  const forms = [
    ["gzip, deflate, br", "br"],
    ["gzip;q=1.0, br;q=0", "gzip"],
    ["identity", undefined],
  ] as const;
  const plain = testWebBuild.files.get("/assets/app-1.js")?.plain.length ?? 0;
  for (const [accepted, encoding] of forms) {
    const response = await world.get("/assets/app-1.js", { "accept-encoding": accepted });

    assert.equal(response.statusCode, 200);
    assert.equal(response.headers["content-encoding"], encoding);
    assert.equal(response.headers["vary"], "accept-encoding");
    assert.match(String(response.headers["cache-control"]), /immutable/);
    assert.equal(response.headers["content-type"], "text/javascript; charset=utf-8");
    assert.equal(response.rawPayload.length === plain, encoding === undefined);
  }
});

test("the publisher's pages are one document, which says without scripts what to do", async (t) => {
  const world = await startApp(t);
  for (const url of ["/setup", "/login", "/admin", "/admin/publish", "/admin/p/some-thing"]) {
    const { statusCode, body } = await world.get(url);
    assert.equal(statusCode, 200);
    assert.ok(body.includes('<script type="module" src="/assets/app-1.js">'), url);
    assert.ok(body.includes("btpublisher user setup"), url);
  }
});

test("what anybody may know of a swarm comes in a few bytes", async (t) => {
  const world = await startApp(t);
  await publishThing(world);
  const { infoHash } = (await world.catalogue.get("some-thing"))?.content ?? {};
  world.control.swarmCounts.set(infoHash as never, { complete: 3, incomplete: 2, downloaded: 7 });

  const { body } = await world.get("/api/v1/publications/some-thing/swarm");

  assert.deepEqual(JSON.parse(body), { complete: 3, incomplete: 2, downloaded: 7 });
});
