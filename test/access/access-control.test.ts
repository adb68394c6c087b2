/** The access model from an account to the Tracker's answer and the SourceNode's orders. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ROTATION_GRACE_MS } from "../../src/access/access-control.ts";
import { BtPublisherError } from "../../src/base/errors.ts";
import { type AccessWorld, infoHashIn, openAccessWorld } from "../support/access-world.ts";

const hasCode = (code: string) => (error: unknown) =>
  error instanceof BtPublisherError && error.code === code;

async function keyOf(
  world: AccessWorld,
  name: string,
  publication: Awaited<ReturnType<AccessWorld["publish"]>>,
): Promise<string> {
  const user = await world.control.accounts.need(name);
  const principal = { type: "user", user, scopes: ["download"], grants: [] } as const;
  const key = await world.control.admit(principal, publication, "");
  return String(key);
}

test("a key is good at the Tracker as soon as it is given, and kept by nobody", async (t) => {
  const world = await openAccessWorld(t);
  await world.control.accounts.add({ name: "dora", role: "downloader", password: undefined });
  const thing = await world.publish("thing", "members");
  const other = await world.publish("other", "members");
  assert.equal(world.ask(thing, undefined), "denied");

  const key = await keyOf(world, "dora", thing);

  assert.match(key, /^[0-9a-f]{40}$/);
  assert.equal(world.ask(thing, key), "allowed");
  assert.equal(world.ask(other, key), "denied");
  assert.notEqual(await keyOf(world, "dora", other), key);
  assert.ok(!JSON.stringify(await world.store.passkeys({})).includes(key));
});

test("T13 whoever is disabled, removed or loses its grant is out at once", async (t) => {
  const endings = {
    disabled: (world: AccessWorld) => world.control.changeUser("dora", { isDisabled: true }),
    removed: (world: AccessWorld) => world.control.removeUser("dora"),
    "without a grant": async (world: AccessWorld) => {
      const [grant] = await world.control.grants();
      await world.control.removeGrant(String(grant?.id));
    },
    rotated: (world: AccessWorld) =>
      world.control.rotateKeys("dora", { infoHash: undefined, graceMs: 0 }),
  };
  for (const [ending, end] of Object.entries(endings)) {
    const world = await openAccessWorld(t);
    await world.control.accounts.add({ name: "dora", role: "downloader", password: undefined });
    const thing = await world.publish("thing", "private");
    await world.control.grant({
      user: "dora",
      right: "download",
      target: { type: "publication", name: "thing" },
      expiresAt: undefined,
    });
    const key = await keyOf(world, "dora", thing);
    assert.equal(world.ask(thing, key), "allowed");

    await end(world);

    assert.equal(world.ask(thing, key), "denied", ending);
    assert.equal(world.orders.at(-1)?.type, "revoke", ending);
  }
});

test("a rotated key stays good for its grace, and the next one is good already", async (t) => {
  const world = await openAccessWorld(t);
  await world.control.accounts.add({ name: "dora", role: "downloader", password: undefined });
  const thing = await world.publish("thing", "members");
  const before = await keyOf(world, "dora", thing);

  const about = { infoHash: infoHashIn(thing), graceMs: ROTATION_GRACE_MS };
  assert.equal(await world.control.rotateKeys("dora", about), 1);
  const after = await keyOf(world, "dora", thing);

  assert.notEqual(after, before);
  assert.equal(world.ask(thing, before), "allowed");
  await world.clock.run({ until: ROTATION_GRACE_MS - 1 });
  assert.equal(world.ask(thing, before), "allowed");
  await world.clock.run({ until: ROTATION_GRACE_MS });
  assert.equal(world.ask(thing, before), "denied");
  assert.equal(world.ask(thing, after), "allowed");
});

test("a grant that ends takes its keys with it", async (t) => {
  const world = await openAccessWorld(t);
  await world.control.accounts.add({ name: "dora", role: "downloader", password: undefined });
  const thing = await world.publish("thing", "private");
  await world.control.grant({
    user: "dora",
    right: "download",
    target: { type: "catalogue", catalogue: "private" },
    expiresAt: 60_000,
  });
  const key = await keyOf(world, "dora", thing);
  await world.clock.run({ until: 59_999 });
  assert.equal(world.ask(thing, key), "allowed");
  await world.clock.run({ until: 60_000 });
  assert.equal(world.ask(thing, key), "denied");
});

test("T13 a Tracker that restarted, or missed something, knows all again within seconds", async (t) => {
  const world = await openAccessWorld(t);
  await world.control.accounts.add({ name: "dora", role: "downloader", password: undefined });
  const thing = await world.publish("thing", "members");
  const open = await world.publish("open", "public");
  const key = await keyOf(world, "dora", thing);

  world.restartTracker();
  assert.equal(world.ask(thing, key), "denied");
  await world.clock.run({ until: world.clock.now() + 20_000 });
  await world.control.settled();
  assert.equal(world.ask(thing, key), "allowed");
  assert.equal(world.ask(open, undefined), "allowed");

  world.isCut = true;
  await world.control.changeUser("dora", { isDisabled: true });
  assert.equal(world.ask(thing, key), "allowed");
  world.isCut = false;
  await world.clock.run({ until: world.clock.now() + 2_000 });
  await world.control.settled();
  assert.equal(world.ask(thing, key), "denied");
});

test("what is unpublished has no keys; a later thing of that name does not inherit grants", async (t) => {
  const world = await openAccessWorld(t);
  await world.control.accounts.add({ name: "dora", role: "downloader", password: undefined });
  const thing = await world.publish("thing", "private");
  const target = { type: "publication", name: "thing" } as const;
  const wanted = { user: "dora", right: "download", target, expiresAt: undefined } as const;
  await world.control.grant(wanted);
  const key = await keyOf(world, "dora", thing);

  await world.catalogue.remove("thing");
  await world.control.publicationsChanged();
  assert.equal(world.ask(thing, key), "denied");

  await world.clock.run({ until: world.clock.now() + 1 });
  const again = await world.publish("thing", "private");
  assert.equal(world.ask(again, key), "denied");
});

test("tokens end by time and by revocation, and with another password", async (t) => {
  const world = await openAccessWorld(t);
  const { accounts } = world.control;
  const user = await accounts.add({ name: "dora", role: "downloader", password: undefined });
  const make = (lifeMs: number) =>
    accounts.makeToken(user, { scopes: undefined, expiresAt: world.clock.unixNow() + lifeMs });
  const [short, long] = [await make(1000), await make(5000)];
  assert.equal((await accounts.authenticate(short.text))?.type, "user");
  assert.equal(await accounts.authenticate(`${short.text.slice(0, -1)}_`), undefined);
  await world.clock.run({ until: 1000 });
  assert.equal(await accounts.authenticate(short.text), undefined);

  await accounts.change("dora", { password: "a long enough one" });
  assert.equal(await accounts.authenticate(long.text), undefined);
  await assert.rejects(make(0), hasCode("USAGE"));
  await assert.rejects(make(400 * 24 * 3600 * 1000), hasCode("USAGE"));
  assert.ok(!JSON.stringify(await world.store.tokens()).includes(short.text));
});

test("CFG-12 while the clock is wrong no token is made, and those that are there go on", async (t) => {
  const world = await openAccessWorld(t);
  const { accounts } = world.control;
  const user = await accounts.add({ name: "dora", role: "downloader", password: undefined });
  const wanted = { scopes: undefined, expiresAt: world.clock.unixNow() + 1000 };
  const { text } = await accounts.makeToken(user, wanted);

  world.clockFault = "the clock says 1970-01-01: set it";
  await assert.rejects(accounts.makeToken(user, wanted), hasCode("UNAVAILABLE"));
  assert.equal((await accounts.authenticate(text))?.type, "user");
});

test("A8 names, passwords and grants that make no sense are refused", async (t) => {
  const world = await openAccessWorld(t);
  const { accounts } = world.control;
  for (const name of ["", "Dora", "a b", "server", "anonymous", "x".repeat(65), "../x"]) {
    const wanted = { name, role: "downloader", password: undefined } as const;
    await assert.rejects(accounts.add(wanted), hasCode("USAGE"), name);
  }
  const short = { name: "dora", role: "downloader", password: "changeme" } as const;
  await assert.rejects(accounts.add(short), hasCode("USAGE"));
  const dora = { ...short, password: undefined };
  await accounts.add(dora);
  await assert.rejects(accounts.add(dora), hasCode("CONFLICT"));
  const target = { type: "catalogue", catalogue: "members" } as const;
  const publish = { user: "dora", right: "publish", target, expiresAt: undefined } as const;
  await assert.rejects(world.control.grant(publish), hasCode("USAGE"));
  await assert.rejects(world.control.grant({ ...publish, user: "nobody" }), hasCode("NOT_FOUND"));
});

test("the audit log is one chain that nothing can be taken out of", async (t) => {
  const world = await openAccessWorld(t);
  const fact = { action: "x", subject: "y\n\u202e", outcome: "done", address: "" } as const;
  await Promise.all(Array.from({ length: 5 }, () => world.control.record("server", fact)));

  const entries = await world.control.audit.page({ limit: 10 });
  assert.deepEqual(
    entries.map(({ number }) => number),
    [5, 4, 3, 2, 1],
  );
  assert.equal(entries[0]?.subject, "y");
  assert.equal(await world.control.audit.findBreak(), undefined);
  await world.store.appendAudit({ ...entries[0], number: 6, actor: "somebody else" });
  assert.equal(await world.control.audit.findBreak(), 6);
});

test("the catalogue is listed when it changed, once for changes that come together, and for no grant", async (t) => {
  const world = await openAccessWorld(t);
  const { catalogue, control } = world;
  await control.accounts.add({ name: "dora", role: "downloader", password: undefined });
  const thing = await world.publish("thing", "private");
  let listings = 0;
  const list = catalogue.list.bind(catalogue);
  catalogue.list = (page) => {
    if (page?.before === undefined) listings++;
    return list(page);
  };

  const target = { type: "publication", name: "thing" } as const;
  await control.grant({ user: "dora", right: "download", target, expiresAt: undefined });
  assert.equal(world.ask(thing, await keyOf(world, "dora", thing)), "allowed");
  assert.equal(listings, 0);

  await Promise.all([1, 2, 3].map(() => control.publicationsChanged()));
  assert.equal(listings, 1);
});

test("a key for what was published a moment ago is good before anything else is told of it", async (t) => {
  const world = await openAccessWorld(t);
  await world.control.accounts.add({ name: "dora", role: "downloader", password: undefined });
  const thing = await world.publish("thing", "members");
  const { content } = thing;
  assert.ok(content);
  const infoHash = "5".repeat(40) as typeof content.infoHash;
  const news = { ...thing, name: "news", createdAt: 1, content: { ...content, infoHash } };
  await world.catalogue.create(news);

  assert.equal(world.ask(news, await keyOf(world, "dora", news)), "allowed");
});
