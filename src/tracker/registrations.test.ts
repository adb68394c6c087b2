/** Registrations that change while they are being changed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { registration } from "../../test/support/tracker-world.ts";
import { MemoryRegistrationStore } from "../adapters/memory/registration-store.ts";
import { createRandom } from "../base/random.ts";
import type { InfoHash } from "../base/units.ts";
import { Registrations } from "./registrations.ts";

/** A store whose removals wait, and then do what they are told. */
class SlowStore extends MemoryRegistrationStore {
  readonly removal = Promise.withResolvers<void>();

  override async remove(infoHash: InfoHash): Promise<void> {
    await this.removal.promise;
    await super.remove(infoHash);
  }
}

async function openRegistrations() {
  const store = new SlowStore();
  const onStoreError = () => assert.fail("nothing is counted");
  const registrations = await Registrations.load({ store, random: createRandom(1), onStoreError });
  await registrations.put(registration);
  return { store, registrations };
}

test("what is registered again while it is being removed is registered afterwards", async () => {
  const { store, registrations } = await openRegistrations();
  const removed = registrations.remove(registration.infoHash);
  const put = registrations.put(registration);
  store.removal.resolve();
  await Promise.all([removed, put]);

  assert.equal(registrations.size, 1);
  assert.equal((await store.all()).length, 1);
});

test("a removal that fails leaves it registered, and says so to its caller alone", async () => {
  const { store, registrations } = await openRegistrations();
  const removed = registrations.remove(registration.infoHash);
  const put = registrations.put(registration);
  store.removal.reject(new Error("the disk is gone"));

  await assert.rejects(removed, /the disk is gone/);
  await put;
  assert.equal(registrations.size, 1);
});
