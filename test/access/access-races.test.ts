/** The access model when several things happen to it at once, or its store fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AuditLog } from "../../src/access/audit-log.ts";
import { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import { createSecrets } from "../../src/adapters/node/secrets.ts";
import { SqlAccessStore } from "../../src/adapters/sql/access-store.ts";
import { BtPublisherError } from "../../src/base/errors.ts";
import { infoHashIn, openAccessWorld } from "../support/access-world.ts";

const password = "correct horse battery";

test("A8 a set-up link that is used twice at once makes one maintainer", async (t) => {
  const { control } = await openAccessWorld(t);
  const token = String(await control.openSetup());
  const made = await Promise.allSettled([
    control.setUp(token, { name: "carol", password }),
    control.setUp(token, { name: "mallory", password }),
  ]);
  assert.deepEqual(made.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  assert.equal((await control.accounts.all()).length, 1);
});

test("a set-up link stays good when the name was no name", async (t) => {
  const { control } = await openAccessWorld(t);
  const token = String(await control.openSetup());
  await assert.rejects(control.setUp(token, { name: "No Name", password }));
  assert.equal((await control.setUp(token, { name: "carol", password })).role, "maintainer");
});

test("T13 a token that is revoked while it is used stays revoked", async (t) => {
  const { control, clock } = await openAccessWorld(t);
  const { accounts } = control;
  const user = await accounts.add({ name: "dora", role: "downloader", password: undefined });
  const wanted = { scopes: undefined, expiresAt: clock.unixNow() + 1e9 };
  const { text, record } = await accounts.makeToken(user, wanted);
  // Long enough for its use to be written down.
  await clock.run({ until: 120_000 });
  await Promise.all([accounts.authenticate(text), accounts.revokeToken(record.id)]);
  assert.equal(await accounts.authenticate(text), undefined);
});

test("two changes of an account at once are both made", async (t) => {
  const { control } = await openAccessWorld(t);
  const { accounts } = control;
  await accounts.add({ name: "dora", role: "downloader", password: undefined });
  await Promise.all([
    accounts.change("dora", { password }),
    accounts.change("dora", { isDisabled: true }),
  ]);
  const dora = await accounts.need("dora");
  assert.equal(dora.isDisabled, true);
  assert.notEqual(dora.passwordHash, undefined);
});

test("A7 passwords that are guessed at once are as few as those guessed one by one", async (t) => {
  const { control } = await openAccessWorld(t);
  await control.accounts.add({ name: "dora", role: "downloader", password });
  const guesses = Array.from({ length: 20 }, () =>
    control.accounts.login("dora", "a wrong password", "192.0.2.1"),
  );
  const reasons = (await Promise.allSettled(guesses)).map((each) => {
    assert.ok(each.status === "rejected" && each.reason instanceof BtPublisherError);
    return each.reason.detail["reason"];
  });
  assert.equal(reasons.filter((reason) => reason === "BAD_PASSWORD").length, 5);
});

test("the publish token gets keys at once, also the first time", async (t) => {
  const world = await openAccessWorld(t);
  const things = [await world.publish("one", "members"), await world.publish("two", "members")];
  const keys = await Promise.all(
    things.map((thing) =>
      world.control.admit({ type: "owner" }, thing, "").then((key) => world.ask(thing, key)),
    ),
  );
  assert.deepEqual(keys, ["allowed", "allowed"]);
});

test("T13 who only looked at the page is put out with its grant", async (t) => {
  const world = await openAccessWorld(t);
  const { control, orders, store } = world;
  const user = await control.accounts.add({
    name: "dora",
    role: "downloader",
    password: undefined,
  });
  const thing = await world.publish("thing", "private");
  const target = { type: "publication", name: "thing" } as const;
  const wanted = { user: "dora", right: "download", target, expiresAt: undefined } as const;
  const { id } = await control.grant(wanted);
  const grants = await store.grants(user.id);
  const dora = { type: "user", user, scopes: ["download"], grants } as const;

  await control.admit(dora, thing, "192.0.2.7");
  assert.equal(orders.at(-1)?.type, "admit");
  await control.removeGrant(id);
  const revocations = [{ infoHash: infoHashIn(thing), principal: user.id }];
  assert.deepEqual(orders.at(-1), { type: "revoke", revocations });
});

test("while the audit log cannot be written its callers hear of it, and nobody else", async (t) => {
  const store = await SqlAccessStore.open(":memory:");
  t.after(() => store.close());
  let isBroken = true;
  const log = new AuditLog({
    clock: new VirtualClock(),
    secrets: createSecrets(new Uint8Array(32)),
    store: {
      audit: (page) => (isBroken ? Promise.reject(new Error("full")) : store.audit(page)),
      appendAudit: (entry) =>
        isBroken ? Promise.reject(new Error("full")) : store.appendAudit(entry),
    },
  });
  const fact = { actor: "x", action: "x", subject: "", outcome: "done", address: "" } as const;
  await assert.rejects(log.append(fact), /full/);
  // An error that nobody hears of would end the process by now.
  await new Promise(setImmediate);
  isBroken = false;
  await Promise.all([log.append(fact), log.append(fact)]);
  assert.deepEqual(
    (await log.page({ limit: 5 })).map(({ number }) => number),
    [2, 1],
  );
  assert.equal(await log.findBreak(), undefined);
});
