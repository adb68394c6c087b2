import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSecrets } from "../node/secrets.ts";
import { VirtualClock } from "../memory/virtual-clock.ts";
import { IdempotentCalls } from "../../announcer/http/idempotency.ts";
import { SqlCallStore } from "./call-store.ts";
import { type CatalogueTables, catalogueMigrations } from "./catalogue-schema.ts";
import { openDatabase } from "./database.ts";

const secrets = createSecrets(new Uint8Array(32).fill(3));
const call = {
  principal: { type: "owner" },
  target: "POST /api/v1/tokens",
  key: "key-of-the-caller",
  body: { user: "alice", password: "a long password" },
} as const;
const made = { status: 201, body: { token: "btpt_the-secret-of-a-token" } };

function openAt(path: string) {
  return openDatabase<CatalogueTables>(path, catalogueMigrations);
}

test("API-16 an answer survives a restart, and the database tells nobody a secret of it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "btp-calls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "announcer.sqlite");
  const clock = new VirtualClock();
  const before = await openAt(path);
  const first = new IdempotentCalls({ store: new SqlCallStore(before), secrets, clock });
  assert.deepEqual(await first.run(call, async () => made), made);
  await before.destroy();

  const bytes = readFileSync(path);
  for (const secret of [made.body.token, call.body.password, call.key, "alice"]) {
    assert.equal(bytes.includes(secret), false, secret);
  }
  const after = await openAt(path);
  t.after(() => after.destroy());
  const second = new IdempotentCalls({ store: new SqlCallStore(after), secrets, clock });
  const again = await second.run(call, () => assert.fail("done twice"));
  assert.deepEqual(again, made);
  await assert.rejects(
    second.run({ ...call, body: {} }, () => assert.fail("done")),
    {
      code: "CONFLICT",
      detail: { reason: "IDEMPOTENCY_KEY" },
    },
  );
});

test("API-16 what a stop of the server cut short is not done again by itself", async (t) => {
  const db = await openAt(":memory:");
  t.after(() => db.destroy());
  const dependencies = { store: new SqlCallStore(db), secrets, clock: new VirtualClock() };
  const cut = Promise.withResolvers<typeof made>();
  const begun = Promise.withResolvers<void>();
  const running = new IdempotentCalls(dependencies).run(call, () => {
    begun.resolve();
    return cut.promise;
  });
  await begun.promise;

  const next = new IdempotentCalls(dependencies);
  await assert.rejects(
    next.run(call, () => assert.fail("done twice")),
    {
      code: "CONFLICT",
      detail: { reason: "UNKNOWN_OUTCOME" },
    },
  );
  cut.resolve(made);
  await running;
  assert.deepEqual(await next.run(call, () => assert.fail("done twice")), made);
});

test("API-16 what is kept is bounded in time, number and size; what failed is not kept", async (t) => {
  const db = await openAt(":memory:");
  t.after(() => db.destroy());
  const store = new SqlCallStore(db);
  const clock = new VirtualClock();
  const calls = new IdempotentCalls({ store, secrets, clock });
  const kept = async () => (await db.selectFrom("call").selectAll().execute()).length;

  await assert.rejects(
    calls.run(call, () => Promise.reject(new Error("broken"))),
    /broken/,
  );
  const long = { status: 200, body: "x".repeat(64 * 1024) };
  assert.deepEqual(await calls.run(call, async () => long), long);
  assert.equal(await kept(), 0);

  for (let number = 0; number < 5; number++) {
    await store.begin({ id: `${number}`, digest: "", startedAt: number });
  }
  await store.prune({ before: 1, most: 3 });
  assert.deepEqual(
    (await db.selectFrom("call").select("id").orderBy("id").execute()).map(({ id }) => id),
    ["2", "3", "4"],
  );
  await clock.run({ until: 2 * 60 * 60 * 1000 });
  await calls.run(call, async () => made);
  assert.equal(await kept(), 1);
});

test("a disk that is full hides no answer of what was done", async (t) => {
  const db = await openAt(":memory:");
  t.after(() => db.destroy());
  const store = new SqlCallStore(db);
  store.complete = () => Promise.reject(new Error("full"));
  const calls = new IdempotentCalls({ store, secrets, clock: new VirtualClock() });
  assert.deepEqual(await calls.run(call, async () => made), made);
});
