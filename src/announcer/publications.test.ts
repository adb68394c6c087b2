import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnnouncerWorld, bodyOf, startAnnouncer } from "../../test/support/announcer-world.ts";
import { BtPublisherError } from "../base/errors.ts";
import { publicAccess } from "../ports/catalogue.ts";
import { defaultPolicy } from "./policy.ts";
import type { PlanRequest } from "./publications.ts";

const options = { pieceLength: undefined, isPrivate: false };
const file: PlanRequest = {
  name: undefined,
  contentName: "Greeting.txt",
  isDirectory: false,
  files: [{ path: ["Greeting.txt"], length: 5 }],
  policy: defaultPolicy,
  access: publicAccess,
};

const hasCode = (code: string) => (error: unknown) =>
  error instanceof BtPublisherError && error.code === code;

/** Plans, uploads and publishes `file`. */
async function publishFile(world: AnnouncerWorld, request: PlanRequest = file) {
  const { publications } = world.announcer;
  const { name } = await publications.plan(request);
  await publications.append(name, { fileIndex: 0, offset: 0 }, bodyOf("hello"));
  return publications.publish(name, options);
}

async function stateOf(world: AnnouncerWorld, name: string) {
  return (await world.catalogue.get(name))?.state;
}

/** Lets virtual time pass, and everything that it sets off end. */
async function pass(world: AnnouncerWorld, ms: number): Promise<void> {
  await world.clock.run({ until: world.clock.now() + ms });
  await settle();
}

/** Lets everything run that waits for nothing but promises. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("publishes what was planned and uploaded, with progress", async () => {
  const world = await startAnnouncer();
  const { publications } = world.announcer;

  const planned = await publications.plan(file);
  assert.deepEqual(planned, { name: "greeting.txt", receivedBytes: [0], isNew: true });
  await publications.append("greeting.txt", { fileIndex: 0, offset: 0 }, bodyOf("hel"));
  const policy = { ...defaultPolicy, policy: "thrifty" } as const;
  assert.deepEqual((await publications.plan({ ...file, policy })).receivedBytes, [3]);
  await publications.append("greeting.txt", { fileIndex: 0, offset: 3 }, bodyOf("lo"));
  const progress: number[] = [];
  const publication = await publications.publish("greeting.txt", options, (done) =>
    progress.push(done),
  );

  assert.equal(publication.state, "published");
  assert.equal(publication.policy.policy, "thrifty");
  assert.equal(publication.content?.contentLength, 5);
  assert.deepEqual(progress, [5]);
  assert.deepEqual(await world.catalogue.get("greeting.txt"), publication);
  assert.equal(world.events.at(-1)?.type, "published");
});

test("a plan that the SourceNode refuses leaves no record", async () => {
  const world = await startAnnouncer();
  const bad = { ...file, files: [{ path: [".."], length: 1 }] };

  await assert.rejects(world.announcer.publications.plan(bad), hasCode("USAGE"));

  assert.deepEqual(await world.catalogue.list(), []);
});

test("API-18 a published name is taken, and the error leads to it", async () => {
  const world = await startAnnouncer();
  await publishFile(world);

  await assert.rejects(world.announcer.publications.plan(file), (error) => {
    assert.ok(hasCode("CONFLICT")(error));
    assert.equal((error as BtPublisherError).detail["reason"], "ALREADY_PUBLISHED");
    return true;
  });
});

test("API-17 the same content under another name is refused, the first stays", async () => {
  const world = await startAnnouncer();
  await publishFile(world);

  await assert.rejects(publishFile(world, { ...file, name: "again" }), hasCode("CONFLICT"));

  assert.equal(await stateOf(world, "greeting.txt"), "published");
  assert.equal(await stateOf(world, "again"), undefined);
  assert.equal(world.content.uploads.size, 0);
  assert.equal(world.content.published.size, 1);
});

test("publishing twice at once runs once and answers both", async () => {
  const world = await startAnnouncer();
  const { publications } = world.announcer;
  const { name } = await publications.plan(file);
  await publications.append(name, { fileIndex: 0, offset: 0 }, bodyOf("hello"));
  const calls: string[] = [];
  world.content.before = (call) => void calls.push(call);

  const both = await Promise.all([
    publications.publish(name, options),
    publications.publish(name, options),
  ]);
  const later = await publications.publish(name, options);

  assert.deepEqual(both[0], both[1]);
  assert.deepEqual(later, both[0]);
  assert.deepEqual(
    calls.filter((call) => call === "publishUpload"),
    ["publishUpload"],
  );
});

test("F-63 of two that publish the same content at once, one is refused", async () => {
  const world = await startAnnouncer();
  const both = await Promise.allSettled(
    ["a", "b"].map((name) => publishFile(world, { ...file, name })),
  );

  assert.deepEqual(both.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  assert.equal((await world.catalogue.list()).length, 1);
  assert.equal(world.content.published.size, 1);
  assert.equal(world.content.uploads.size, 0);
});

test("F-11 a catalogue that could not be written is caught up by asking again", async () => {
  const world = await startAnnouncer();
  const { publications } = world.announcer;
  const { name } = await publications.plan(file);
  await publications.append(name, { fileIndex: 0, offset: 0 }, bodyOf("hello"));
  const update = world.catalogue.update.bind(world.catalogue);
  world.catalogue.update = (publication) =>
    publication.state === "published"
      ? Promise.reject(new BtPublisherError("STORAGE_FULL", "full"))
      : update(publication);
  await assert.rejects(publications.publish(name, options), hasCode("STORAGE_FULL"));
  assert.equal(world.content.published.size, 1);

  world.catalogue.update = update;
  assert.equal((await publications.publish(name, options)).state, "published");
});

test("a deadline in the past is refused, before anything is sent", async () => {
  const world = await startAnnouncer();
  await world.clock.run({ until: 10_000 });
  const { publications } = world.announcer;
  const policy = { ...defaultPolicy, deadline: 9_999 };
  const local = { name: "x", path: "/x", access: publicAccess, policy, options };

  await assert.rejects(async () => publications.plan({ ...file, policy }), hasCode("USAGE"));
  await assert.rejects(publications.publishLocal(local), hasCode("USAGE"));
  assert.deepEqual(await world.catalogue.list(), []);

  await publications.plan({ ...file, policy: { ...policy, deadline: 10_001 } });
});

test("an incomplete upload cannot be published and stays open", async () => {
  const world = await startAnnouncer();
  const { publications } = world.announcer;
  await publications.plan(file);

  await assert.rejects(publications.publish("greeting.txt", options), hasCode("CONFLICT"));

  assert.equal(await stateOf(world, "greeting.txt"), "uploading");
});

test("publishes a path of the server; one that is not there leaves no record", async () => {
  const world = await startAnnouncer();
  const { publications } = world.announcer;
  const request = {
    name: undefined,
    path: "/data/Big File.iso",
    policy: defaultPolicy,
    access: publicAccess,
    options,
  };
  await assert.rejects(publications.publishLocal(request), hasCode("NO_INPUT"));
  assert.deepEqual(await world.catalogue.list(), []);

  world.content.disk.set(request.path, new Uint8Array(70));
  const publication = await publications.publishLocal(request);

  assert.equal(publication.name, "big-file.iso");
  await assert.rejects(publications.publishLocal(request), hasCode("CONFLICT"));
});

test("API-19 API-20 unpublishing ends it for downloaders at once; then it can come again", async () => {
  const world = await startAnnouncer();
  const { publications } = world.announcer;
  const first = await publishFile(world);

  assert.equal(await publications.unpublish("greeting.txt"), "removing");
  await assert.rejects(world.announcer.view("greeting.txt"), hasCode("NOT_FOUND"));
  const second = await publishFile(world);

  assert.equal(second.content?.infoHash, first.content?.infoHash);
  await assert.rejects(publications.unpublish("nothing"), hasCode("NOT_FOUND"));
});

test("a removal that fails is tried again until it succeeds", async () => {
  const world = await startAnnouncer();
  await publishFile(world);
  world.content.before = (call) => {
    if (call === "unpublish") throw new BtPublisherError("UNAVAILABLE", "away");
  };

  await world.announcer.publications.unpublish("greeting.txt");
  await settle();
  assert.equal(await stateOf(world, "greeting.txt"), "removing");
  await assert.rejects(world.announcer.publications.plan(file), hasCode("CONFLICT"));

  world.content.before = () => undefined;
  await pass(world, 10_000);
  assert.equal(await stateOf(world, "greeting.txt"), undefined);
});

test("UPL-18 unpublishing drops an open upload, also while it is hashed", async () => {
  const world = await startAnnouncer();
  const { publications } = world.announcer;
  await publications.plan(file);
  assert.equal(await publications.unpublish("greeting.txt"), "cancelled");
  assert.equal(world.content.uploads.size, 0);

  await publications.plan(file);
  await publications.append("greeting.txt", { fileIndex: 0, offset: 0 }, bodyOf("hello"));
  let abort: () => void = () => undefined;
  world.content.before = (call) => {
    if (call === "unpublish") abort();
    if (call !== "publishUpload") return undefined;
    const cancelled = new BtPublisherError("CANCELLED", "cancelled");
    return new Promise((_resolve, reject) => (abort = () => reject(cancelled)));
  };
  const publishing = publications.publish("greeting.txt", options);
  await settle();
  assert.deepEqual(publications.progressOf("greeting.txt"), { doneBytes: 0, totalBytes: 0 });
  const ended = assert.rejects(publishing, hasCode("CANCELLED"));
  assert.equal(await publications.unpublish("greeting.txt"), "cancelled");
  await ended;

  assert.equal(await stateOf(world, "greeting.txt"), undefined);
  assert.equal(world.content.uploads.size, 0);
});

test("UPL-18 what was published a moment before it was cancelled is removed", async () => {
  const world = await startAnnouncer();
  const { publications } = world.announcer;
  await publications.plan(file);
  await publications.append("greeting.txt", { fileIndex: 0, offset: 0 }, bodyOf("hello"));
  let finish: () => void = () => undefined;
  world.content.before = (call) => {
    if (call === "unpublish") finish();
    return call === "published" ? new Promise((resolve) => (finish = resolve)) : undefined;
  };
  const publishing = publications.publish("greeting.txt", options);
  await settle();

  assert.equal(await publications.unpublish("greeting.txt"), "removing");

  assert.equal((await publishing).state, "published");
  await settle();
  assert.equal(await stateOf(world, "greeting.txt"), undefined);
});

test("A9 F-62 an upload that the SourceNode dropped is forgotten", async () => {
  const world = await startAnnouncer();
  await world.announcer.publications.plan(file);
  await pass(world, 3_700_000);
  assert.equal(await stateOf(world, "greeting.txt"), "uploading");

  world.content.uploads.clear();
  await pass(world, 3_700_000);

  assert.equal(await stateOf(world, "greeting.txt"), undefined);
});

test("nothing can be changed until the SourceNode was reached", async () => {
  const world = await startAnnouncer();
  await publishFile(world);
  world.content.before = () => {
    throw new BtPublisherError("UNAVAILABLE", "away");
  };
  const next = await startAnnouncer(world);

  assert.equal(next.announcer.publications.isReady, false);
  assert.equal((await next.announcer.view("greeting.txt")).publication.state, "published");
  assert.throws(() => next.announcer.publications.plan({ ...file, name: "x" }), {
    code: "UNAVAILABLE",
  });

  world.content.before = () => undefined;
  await pass(world, 2_000);
  assert.equal(next.announcer.publications.isReady, true);
});

/** A world whose Announcer is killed when its content service is called `at`, then restarted. */
async function killAt(at: string, act: (world: AnnouncerWorld) => Promise<unknown>) {
  const world = await startAnnouncer();
  world.content.before = (call) => (call === at ? new Promise(() => undefined) : undefined);
  void act(world).catch(() => undefined);
  await settle();
  await settle();
  world.content.before = () => undefined;
  world.announcer.publications.close();
  const next = await startAnnouncer(world);
  await settle();
  return next;
}

test("A12 F-05 F-07 killed at any step, a publication is absent, resumable or complete", async () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ["beginUpload", undefined],
    ["appendFile", "uploading"],
    ["publishUpload", "uploading"],
    ["published", "published"],
  ];
  for (const [step, state] of table) {
    const next = await killAt(step, publishFile);
    assert.equal(await stateOf(next, "greeting.txt"), state, step);

    if (state !== "published") await publishFile(await resumed(next));
    assert.equal(await stateOf(next, "greeting.txt"), "published", step);
  }
});

/** Lets the upload start over from nothing, whatever is there. */
async function resumed(world: AnnouncerWorld): Promise<AnnouncerWorld> {
  const upload = world.content.uploads.get("greeting.txt");
  if (upload !== undefined) upload.bytes[0] = new Uint8Array(0);
  return world;
}

test("F-05 what one request was to publish is given up when it was killed with it", async () => {
  const onceOnly = { ...file, endsWithRequest: true };
  for (const step of ["appendFile", "publishUpload"]) {
    const next = await killAt(step, (world) => publishFile(world, onceOnly));
    assert.equal(await stateOf(next, "greeting.txt"), undefined, step);
    assert.equal(next.content.uploads.size, 0, step);
  }
  const next = await killAt("published", (world) => publishFile(world, onceOnly));
  assert.equal(await stateOf(next, "greeting.txt"), "published");
});

test("F-07 killed while removing, the removal is finished", async () => {
  const next = await killAt("unpublish", async (world) => {
    await publishFile(world);
    await world.announcer.publications.unpublish("greeting.txt");
  });

  assert.equal(await stateOf(next, "greeting.txt"), undefined);
  assert.equal(next.content.published.size, 0);
});

test("F-07 killed while a path is hashed, the name is free again", async () => {
  const next = await killAt("publishLocal", (world) =>
    world.announcer.publications.publishLocal({
      name: "x",
      path: "/x",
      policy: defaultPolicy,
      access: publicAccess,
      options,
    }),
  );

  assert.equal(await stateOf(next, "x"), undefined);
});

test("content whose record was lost is taken back into the catalogue", async () => {
  const world = await startAnnouncer();
  await publishFile(world);
  await world.catalogue.remove("greeting.txt");

  const next = await startAnnouncer(world);

  assert.equal(await stateOf(next, "greeting.txt"), "published");
  assert.deepEqual(next.events[0], { type: "adopted", name: "greeting.txt" });
});

test("a record whose content was lost is kept and told of", async () => {
  const world = await startAnnouncer();
  await publishFile(world);
  world.content.published.clear();

  const next = await startAnnouncer(world);

  assert.equal(await stateOf(next, "greeting.txt"), "published");
  assert.deepEqual(next.events[0], { type: "content-missing", name: "greeting.txt" });
});

test("a policy is changed at the SourceNode first, then in the catalogue", async () => {
  const world = await startAnnouncer();
  await publishFile(world);
  const { publications } = world.announcer;
  const changed = await publications.setPolicy("greeting.txt", ({ policy: before }) => {
    assert.deepEqual(before, defaultPolicy);
    return { ...before, policy: "fast", floor: 3 };
  });

  const policy = { ...defaultPolicy, policy: "fast", floor: 3 };
  assert.deepEqual(changed.policy, policy);
  assert.deepEqual((await world.catalogue.get("greeting.txt"))?.policy, policy);
  assert.deepEqual(world.content.published.get("greeting.txt")?.policy, policy);

  world.content.before = () => {
    throw new BtPublisherError("STORAGE_FULL", "full");
  };
  const change = publications.setPolicy("greeting.txt", () => defaultPolicy);
  await assert.rejects(change, hasCode("STORAGE_FULL"));
  assert.deepEqual((await world.catalogue.get("greeting.txt"))?.policy, policy);
});

test("a policy is changed of what is published, and of nothing else", async () => {
  const world = await startAnnouncer();
  const { publications } = world.announcer;
  const same = () => defaultPolicy;
  await assert.rejects(publications.setPolicy("nothing", same), hasCode("NOT_FOUND"));
  await publications.plan(file);
  await assert.rejects(publications.setPolicy("greeting.txt", same), hasCode("CONFLICT"));
});

test("a new deadline must be ahead; one that passed meanwhile hinders no other change", async () => {
  const world = await startAnnouncer();
  await publishFile(world);
  await world.clock.run({ until: 10_000 });
  const { publications } = world.announcer;
  const set = (deadline: number | undefined, floor = 2) =>
    publications.setPolicy("greeting.txt", ({ policy }) => ({ ...policy, deadline, floor }));

  await assert.rejects(set(9_999), hasCode("USAGE"));
  assert.equal(world.content.published.get("greeting.txt")?.policy.deadline, undefined);
  await set(10_001);
  await world.clock.run({ until: 20_000 });
  assert.equal((await set(10_001, 5)).policy.floor, 5);
});

test("a policy that the SourceNode has and the catalogue has not is taken over", async () => {
  const world = await startAnnouncer();
  await publishFile(world);
  const update = world.catalogue.update.bind(world.catalogue);
  world.catalogue.update = () => Promise.reject(new BtPublisherError("STORAGE_FULL", "full"));
  const { publications } = world.announcer;
  const change = publications.setPolicy("greeting.txt", ({ policy }) => ({ ...policy, floor: 7 }));
  await assert.rejects(change, hasCode("STORAGE_FULL"));
  assert.equal((await world.catalogue.get("greeting.txt"))?.policy.floor, undefined);

  world.catalogue.update = update;
  await startAnnouncer(world);
  assert.equal((await world.catalogue.get("greeting.txt"))?.policy.floor, 7);
});

test("creation times are distinct even when the clock stands still", async () => {
  const world = await startAnnouncer();
  for (const name of ["a", "b", "c"]) await world.announcer.publications.plan({ ...file, name });

  const list = await world.catalogue.list();

  assert.equal(new Set(list.map(({ createdAt }) => createdAt)).size, 3);
});
