import assert from "node:assert/strict";
import { test } from "node:test";
import {
  hello,
  openTrackerWorld,
  otherRegistration,
  registration,
  statusOf,
} from "../../test/support/tracker-world.ts";
import { infoHashBytes, latin1, latin1Bytes } from "../base/bytes.ts";
import { unwrap } from "../base/errors.ts";
import { parseTrustedProxies } from "../protocol/http/client-address.ts";
import { percentEncode } from "../base/url.ts";
import type { InfoHash } from "../base/units.ts";
import { TrackerHttpDoor, type TrackerHttpAnswer, type TrackerHttpRequest } from "./http-door.ts";

const hashParameter = (infoHash: InfoHash) => `info_hash=${percentEncode(infoHashBytes(infoHash))}`;

/** The target of an announce of peer `id` (one character). */
function announceTarget(id: string, more = ""): string {
  return `/announce?${hashParameter(registration.infoHash)}&peer_id=${id.repeat(20)}&port=6881&left=9${more}`;
}

async function openDoor() {
  const world = await openTrackerWorld();
  const source = world.tracker.attachSource(hello, "127.0.0.1");
  await source.register(registration);
  await source.register(otherRegistration);
  source.report(statusOf(registration.infoHash));
  const trustedProxies = unwrap(parseTrustedProxies(["10.0.0.0/8"]));
  const door = new TrackerHttpDoor(world.tracker, { trustedProxies });
  return (target: string, changes: Partial<TrackerHttpRequest> = {}) =>
    door.answer({
      method: "GET",
      target,
      socketAddress: "192.0.2.10",
      localAddress: "192.0.2.1",
      forwardedFor: undefined,
      ...changes,
    });
}

const bodyOf = (answer: TrackerHttpAnswer | undefined) => latin1(answer?.body ?? new Uint8Array(0));

/** Four bytes of an IPv4 address, as they stand in a compact answer. */
const packed = (text: string) => latin1(Uint8Array.from(text.split(".").map(Number)));

test("an announce is answered in compact form, or plainly on request", async () => {
  const ask = await openDoor();
  const compact = ask(announceTarget("A"));
  assert.equal(compact?.status, 200);
  assert.equal(compact.headers["content-type"], "text/plain");
  assert.equal(compact.headers["content-length"], String(compact.body.length));
  assert.match(bodyOf(compact), /^d8:completei1e10:downloadedi0e10:incompletei1e8:intervali/);
  assert.ok(bodyOf(compact).includes(`5:peers6:${packed("198.51.100.1")}`));

  const plain = bodyOf(
    ask(announceTarget("B", "&compact=0"), { socketAddress: "::ffff:192.0.2.11" }),
  );
  assert.ok(plain.includes("d2:ip12:198.51.100.14:porti6881ee"), plain);
  assert.ok(plain.includes(`d2:ip10:192.0.2.107:peer id20:${"A".repeat(20)}4:porti6881ee`), plain);
  const withoutIds = bodyOf(ask(announceTarget("C", "&compact=0&no_peer_id=1")));
  assert.ok(withoutIds.includes("d2:ip10:192.0.2.114:porti6881ee"), withoutIds);
});

test("IPv6 peers are listed apart", async () => {
  const ask = await openDoor();
  ask(announceTarget("A"), { socketAddress: "2001:db8::5" });
  const body = bodyOf(ask(announceTarget("B")));
  assert.ok(body.includes("6:peers618:\x20\x01\x0d\xb8"), body);
});

test("T2 HTP-13 HTP-14 an address in the query is ignored", async () => {
  const ask = await openDoor();
  for (const claim of ["8.8.8.8", "2001:db8::8", "victim.example", "x".repeat(3000)]) {
    ask(announceTarget("A", `&ip=${claim}&ipv4=8.8.8.8&ipv6=2001:db8::8`));
  }
  const body = bodyOf(ask(announceTarget("B"), { socketAddress: "192.0.2.77" }));
  assert.ok(body.includes(`5:peers12:${packed("198.51.100.1")}`));
  assert.ok(body.includes(packed("192.0.2.10")));
  assert.ok(!body.includes(packed("8.8.8.8")) && !body.includes("peers6"));
});

test("T5 HTP-32 the header of a trusted proxy names the peer, and bad ones are refused", async () => {
  const ask = await openDoor();
  const proxied = { socketAddress: "10.0.0.1" };
  ask(announceTarget("A"), { ...proxied, forwardedFor: "8.8.8.8, 192.0.2.50" });
  ask(announceTarget("C"), { forwardedFor: "8.8.8.8" });
  const body = bodyOf(ask(announceTarget("B")));
  assert.ok(body.includes(packed("192.0.2.50")) && !body.includes(packed("8.8.8.8")));

  for (const forwardedFor of ["unknown", "1.2.3.4:55", "[::1]", ","]) {
    assert.equal(ask(announceTarget("D"), { ...proxied, forwardedFor })?.status, 400, forwardedFor);
  }
});

test("refusals have status 200, so that clients read them", async () => {
  const ask = await openDoor();
  const unknown = announceTarget("A").replace(/info_hash=[^&]*/, `info_hash=${"x".repeat(20)}`);
  const table = [
    ["/announce", "missing info_hash"],
    ["/announce?", "missing info_hash"],
    ["/announce?a?b", "missing info_hash"],
    [unknown, "unregistered torrent"],
    [announceTarget("A", "&event=foo"), "invalid event"],
  ] as const;
  for (const [target, reason] of table) {
    const answer = ask(target);
    assert.equal(answer?.status, 200);
    assert.equal(bodyOf(answer), `d14:failure reason${reason.length}:${reason}e`);
  }
});

test("HTP-20 announces in a flood are refused", async () => {
  const ask = await openDoor();
  const bodies = Array.from({ length: 5 }, () => bodyOf(ask(announceTarget("A"))));
  assert.deepEqual(
    bodies.map((body) => body.includes("announced too often")),
    [false, false, false, true, true],
  );
});

test("HTP-23 a scrape of everything is refused", async () => {
  const ask = await openDoor();
  for (const target of ["/scrape", "/scrape?", "/scrape?x=1"]) {
    assert.match(bodyOf(ask(target)), /^d14:failure reason20:full scrape disablede$/);
  }
});

test("HTP-24 a scrape of 101 hashes answers the first 100, and its URL fits", async () => {
  const ask = await openDoor();
  const unknown = Array.from(
    { length: 99 },
    (_, i) => `info_hash=${"%ff".repeat(19)}%${(i + 16).toString(16)}`,
  );
  const scrape = (parameters: readonly string[]) => bodyOf(ask(`/scrape?${parameters.join("&")}`));
  const known = hashParameter(registration.infoHash);
  const file = `20:${latin1(infoHashBytes(registration.infoHash))}`;

  assert.ok(scrape([...unknown, known]).includes(file));
  assert.equal(scrape([...unknown, `info_hash=${"y".repeat(20)}`, known]), "d5:filesdee");
});

test("HTP-25 a scrape of known and unknown torrents lists the known ones", async () => {
  const ask = await openDoor();
  ask(announceTarget("A"));
  const target = `/scrape?${hashParameter(registration.infoHash)}&info_hash=${"z".repeat(20)}`;
  const name = latin1(infoHashBytes(registration.infoHash));
  const counts = "d8:completei1e10:downloadedi0e10:incompletei1ee";
  assert.equal(bodyOf(ask(target)), `d5:filesd20:${name}${counts}ee`);
});

test("HTP-26 other methods than GET are refused", async () => {
  const ask = await openDoor();
  for (const method of ["POST", "HEAD", "OPTIONS", "TRACE", "PUT", "get"]) {
    for (const target of [announceTarget("A"), "/scrape"]) {
      const answer = ask(target, { method });
      assert.equal(answer?.status, 405, method);
      assert.equal(answer.headers["allow"], "GET");
    }
  }
  assert.match(bodyOf(ask(announceTarget("B"))), /incompletei1e/);
});

test("HTP-27 a URL of 64 KiB or with ten thousand parameters is refused", async () => {
  const ask = await openDoor();
  for (const more of [`&x=${"y".repeat(65_536)}`, "&a=1".repeat(10_000)]) {
    assert.equal(ask(announceTarget("A", more))?.status, 414);
    assert.equal(ask(`/scrape?${hashParameter(registration.infoHash)}${more}`)?.status, 414);
  }
});

test("HTP-34 the path counts exactly", async () => {
  const ask = await openDoor();
  const query = announceTarget("A").slice("/announce".length);
  for (const path of [
    "/announce/",
    "//announce",
    "/ANNOUNCE",
    "/announce.php",
    "/%61nnounce",
    "/./announce",
    "announce",
    "",
    "/",
    "/scrape/",
    "http://tracker.example/announce",
  ]) {
    assert.equal(ask(`${path}${query}`), undefined, path);
  }
});

test("whatever bytes a query has, it is answered", async () => {
  const ask = await openDoor();
  for (let code = 0; code < 256; code++) {
    const byte = latin1(latin1Bytes(String.fromCharCode(code)));
    for (const target of [`/announce?${byte}`, announceTarget(byte), `/scrape?info_hash=${byte}`]) {
      assert.ok(ask(target) !== undefined);
    }
  }
});
