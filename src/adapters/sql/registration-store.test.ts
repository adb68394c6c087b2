/** The contract of RegistrationStore, for every adapter. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, type TestContext, test } from "node:test";
import type { InfoHash } from "../../base/units.ts";
import type { RegistrationStore } from "../../ports/registration-store.ts";
import type { Registration } from "../../ports/tracker-control.ts";
import { MemoryRegistrationStore } from "../memory/registration-store.ts";
import { SqlRegistrationStore } from "./registration-store.ts";

const debian: Registration = {
  infoHash: "0a".repeat(20) as InfoHash,
  name: "debian",
  contentLength: 2 ** 52,
  pieceCount: 1000,
  isPrivate: true,
};
const fedora: Registration = {
  ...debian,
  infoHash: "0b".repeat(20) as InfoHash,
  name: "fedora",
  isPrivate: false,
};

async function allByName(store: RegistrationStore) {
  return [...(await store.all())].sort((a, b) => a.name.localeCompare(b.name));
}

const adapters: Record<string, (t: TestContext) => Promise<RegistrationStore>> = {
  memory: async () => new MemoryRegistrationStore(),
  sql: async (t) => {
    const store = await SqlRegistrationStore.open(":memory:");
    t.after(() => store.close());
    return store;
  },
};

const held = {
  state: "S2",
  reason: { code: "peers-suffice", copies: 3, floor: 2 },
  since: 1_700_000_000_000,
} as const;

for (const [adapter, open] of Object.entries(adapters)) {
  describe(`RegistrationStore: ${adapter}`, () => {
    test("returns what was put, as it was put", async (t) => {
      const store = await open(t);
      await store.put(debian);
      await store.put(fedora);

      assert.deepEqual(await allByName(store), [
        { ...debian, downloaded: 0, held: undefined },
        { ...fedora, downloaded: 0, held: undefined },
      ]);
    });

    test("keeps what was counted when a registration is said again", async (t) => {
      const store = await open(t);
      await store.put(debian);
      await store.addDownloaded(debian.infoHash, 3);
      await store.addDownloaded(debian.infoHash, 2);
      await store.put({ ...debian, name: "debian-13" });

      assert.deepEqual(await allByName(store), [
        { ...debian, name: "debian-13", downloaded: 5, held: undefined },
      ]);
    });

    test("forgets a removed registration with its counts", async (t) => {
      const store = await open(t);
      await store.put(debian);
      await store.addDownloaded(debian.infoHash, 3);
      await store.remove(debian.infoHash);
      await store.remove(debian.infoHash);
      assert.deepEqual(await store.all(), []);

      await store.put(debian);
      assert.deepEqual(await store.all(), [{ ...debian, downloaded: 0, held: undefined }]);
    });

    test("counts nothing for an unknown info hash", async (t) => {
      const store = await open(t);
      await store.addDownloaded(debian.infoHash, 1);

      assert.deepEqual(await store.all(), []);
    });

    test("remembers the last 200 states of a swarm, until it is removed", async (t) => {
      const store = await open(t);
      await store.holdState(debian.infoHash, held);
      assert.deepEqual(await store.states(debian.infoHash), []);
      await store.put(debian);
      await store.put(fedora);
      await store.holdState(fedora.infoHash, held);
      for (let since = 1; since <= 210; since++) {
        await store.holdState(debian.infoHash, { ...held, since });
      }
      const states = await store.states(debian.infoHash);
      assert.deepEqual([states.length, states[0]?.since, states.at(-1)?.since], [200, 11, 210]);
      assert.deepEqual(await store.states(fedora.infoHash), [held]);
      await store.remove(debian.infoHash);
      await store.put(debian);
      assert.deepEqual(await store.states(debian.infoHash), []);
    });

    test("writes in the order of the calls", async (t) => {
      const store = await open(t);
      await Promise.all([
        store.put(debian),
        store.remove(debian.infoHash),
        store.put(fedora),
        store.addDownloaded(fedora.infoHash, 1),
      ]);

      assert.deepEqual(await allByName(store), [{ ...fedora, downloaded: 1, held: undefined }]);
    });
  });
}

test("SqlRegistrationStore keeps everything through a restart", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "btpublisher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "tracker.sqlite");
  const first = await SqlRegistrationStore.open(path);
  await first.put(debian);
  await first.addDownloaded(debian.infoHash, 7);
  await first.holdState(debian.infoHash, held);
  await first.close();

  const second = await SqlRegistrationStore.open(path);

  assert.deepEqual(await second.all(), [{ ...debian, downloaded: 7, held }]);
  assert.deepEqual(await second.states(debian.infoHash), [held]);
  await second.close();
});

test("a held state that cannot be read counts as none", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "btpublisher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "tracker.sqlite");
  const first = await SqlRegistrationStore.open(path);
  await first.put(debian);
  await first.close();
  const database = new DatabaseSync(path);
  database.exec("UPDATE registration SET held = '{\"state\"'");
  database.close();

  const second = await SqlRegistrationStore.open(path);
  assert.deepEqual(await second.all(), [{ ...debian, downloaded: 0, held: undefined }]);
  await second.close();
});
