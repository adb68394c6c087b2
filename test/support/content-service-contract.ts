/** What every `ContentService` must do, in the same process or behind a network. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { BtPublisherError } from "../../src/base/errors.ts";
import type {
  ContentPlan,
  ContentService,
  LedgerEntry,
  PublishOptions,
} from "../../src/ports/content-service.ts";
import { bodyOf } from "./source-world.ts";
import { defaultPolicy } from "../../src/ports/publication-policy.ts";

/** What a test works with. */
export interface ContractWorld {
  readonly service: ContentService;
  /** A folder on the service's machine, for content to publish in place. */
  readonly folder: string;
  /** Makes the service send `bytes` of the first piece of `name`; they are in its ledger then. */
  readonly send: (name: string, bytes: number) => Promise<void>;
  /** Resolves when the service has noticed that a body broke off. */
  readonly settled: () => Promise<void>;
}

const options: PublishOptions = { pieceLength: 16 * 1024, isPrivate: false, policy: defaultPolicy };

function fails(code: string, reason?: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof BtPublisherError, String(error));
    assert.equal(error.code, code, error.message);
    if (reason !== undefined) assert.equal(error.detail["reason"], reason);
    return true;
  };
}

function aPlan(lengths: readonly number[], name = "thing"): ContentPlan {
  const files = lengths.map((length, i) => ({ path: ["sub", `file-${i}.bin`], length }));
  return { name, contentName: "Some Thing", isDirectory: true, files };
}

async function upload(
  service: ContentService,
  plan: ContentPlan,
  contents: readonly Uint8Array[],
): Promise<void> {
  await service.beginUpload(plan);
  for (const [fileIndex, bytes] of contents.entries()) {
    if (bytes.length > 0) {
      await service.appendFile(plan.name, { fileIndex, offset: 0 }, bodyOf(bytes));
    }
  }
}

async function collect(entries: AsyncIterable<LedgerEntry>): Promise<LedgerEntry[]> {
  const all: LedgerEntry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

async function* brokenBody(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield* bodyOf(bytes, 1000);
  throw new Error("the connection broke");
}

/** Registers the contract's tests. */
export function testContentService(
  adapter: string,
  open: (t: TestContext) => Promise<ContractWorld>,
): void {
  const it = (name: string, run: (world: ContractWorld) => Promise<void>): void => {
    test(`${adapter}: ${name}`, async (t) => run(await open(t)));
  };

  it("an upload becomes a publication that says what it is", async ({ service }) => {
    const contents = [randomBytes(40_000), Buffer.alloc(0), randomBytes(5)];
    const plan = aPlan(contents.map((bytes) => bytes.length));
    const begun = await service.beginUpload(plan);
    assert.deepEqual(begun, { name: "thing", receivedBytes: [0, 0, 0] });
    await upload(service, plan, contents);
    const status = { name: "thing", receivedBytes: [40_000, 0, 5] };
    assert.deepEqual(await service.uploadStatus("thing"), status);

    const progress: (readonly [number, number])[] = [];
    const published = await service.publishUpload("thing", options, (done, total) =>
      progress.push([done, total]),
    );

    const { info, infoHash, ...rest } = published;
    assert.equal(createHash("sha1").update(info).digest("hex"), infoHash);
    assert.deepEqual(rest, {
      name: "thing",
      contentName: "Some Thing",
      isDirectory: true,
      files: plan.files.map((file, i) => ({
        ...file,
        sha256: createHash("sha256")
          .update(contents[i] as Buffer)
          .digest("hex"),
      })),
      contentLength: 40_005,
      policy: defaultPolicy,
      localPath: undefined,
    });
    assert.deepEqual(progress.at(-1), [40_005, 40_005]);
    assert.deepEqual(await service.list(), [published]);
    await assert.rejects(service.uploadStatus("thing"), fails("NOT_FOUND"));
  });

  it("publishing again returns what was published, also at the same time", async ({ service }) => {
    await upload(service, aPlan([70_000]), [randomBytes(70_000)]);

    const both = [service.publishUpload("thing", options), service.publishUpload("thing", options)];
    const [first, second] = await Promise.all(both);

    assert.deepEqual(second, first);
    assert.deepEqual(await service.publishUpload("thing", options), first);
    await assert.rejects(service.beginUpload(aPlan([70_000])), fails("CONFLICT"));
  });

  it("A9 UPL-01 a body that is too long leaves nothing, one that is too short is not published", async ({
    service,
  }) => {
    await service.beginUpload(aPlan([3000]));
    await service.appendFile("thing", { fileIndex: 0, offset: 0 }, bodyOf(randomBytes(1000)));

    const long = service.appendFile(
      "thing",
      { fileIndex: 0, offset: 1000 },
      bodyOf(randomBytes(2_500_000)),
    );
    await assert.rejects(long, fails("USAGE"));

    assert.deepEqual((await service.uploadStatus("thing")).receivedBytes, [1000]);
    await assert.rejects(service.publishUpload("thing", options), fails("CONFLICT", "INCOMPLETE"));
    assert.deepEqual(await service.list(), []);
  });

  it("UPL-02 an upload goes on from where a broken connection left it", async ({
    service,
    settled,
  }) => {
    const bytes = randomBytes(100_000);
    await service.beginUpload(aPlan([bytes.length]));
    for (let tenth = 1; tenth <= 10; tenth++) {
      const [offset = 0] = (await service.uploadStatus("thing")).receivedBytes;
      const body = brokenBody(bytes.subarray(offset, tenth * 10_000));
      await assert.rejects(
        service.appendFile("thing", { fileIndex: 0, offset }, body),
        /the connection broke/,
      );
      await settled();
    }
    const [offset = 0] = (await service.uploadStatus("thing")).receivedBytes;
    const rest = bodyOf(bytes.subarray(offset));
    await service.appendFile("thing", { fileIndex: 0, offset }, rest);

    const { files } = await service.publishUpload("thing", options);

    assert.equal(files[0]?.sha256, createHash("sha256").update(bytes).digest("hex"));
  });

  it("UPL-03 another offset and another plan are conflicts", async ({ service }) => {
    await service.beginUpload(aPlan([3000]));
    await service.appendFile("thing", { fileIndex: 0, offset: 0 }, bodyOf(randomBytes(1000)));
    for (const offset of [0, 999, 1001, 3000]) {
      await assert.rejects(
        service.appendFile("thing", { fileIndex: 0, offset }, bodyOf(randomBytes(10))),
        fails("CONFLICT", "OFFSET"),
      );
    }
    for (const other of [aPlan([3001]), aPlan([3000, 1]), { ...aPlan([3000]), contentName: "x" }]) {
      await assert.rejects(service.beginUpload(other), fails("CONFLICT", "OTHER_PLAN"));
    }

    const again = await service.beginUpload(aPlan([3000]));

    assert.deepEqual(again.receivedBytes, [1000]);
  });

  it("UPL-04 bytes that differ from their declared SHA-256 are not published", async ({
    service,
  }) => {
    const right = randomBytes(20_000);
    const sha256 = createHash("sha256").update(right).digest("hex");
    const [file] = aPlan([right.length]).files;
    assert.ok(file);
    const plan = { ...aPlan([]), files: [{ ...file, sha256 }] };
    await upload(service, plan, [randomBytes(right.length)]);

    await assert.rejects(service.publishUpload("thing", options), fails("DIGEST"));

    assert.deepEqual(await service.list(), []);
    assert.deepEqual((await service.uploadStatus("thing")).receivedBytes, [0]);
    await upload(service, plan, [right]);
    assert.equal((await service.publishUpload("thing", options)).files[0]?.sha256, sha256);
  });

  it("UPL-05 sizes: nothing at all is refused, everything else is content", async ({ service }) => {
    await assert.rejects(service.beginUpload(aPlan([])), fails("META_EMPTY"));
    await assert.rejects(service.beginUpload(aPlan([0, 0])), fails("META_EMPTY"));
    for (const length of [1, 16_383, 16_384, 16_385]) {
      const name = `of-${length}`;
      await upload(service, aPlan([length], name), [randomBytes(length)]);

      assert.equal((await service.publishUpload(name, options)).contentLength, length);
    }
  });

  it("UPL-06 names that not every client would write are refused before the transfer", async ({
    service,
  }) => {
    const paths = [
      [".."],
      ["a", "..", "b"],
      ["a/b"],
      ["a\\b"],
      [""],
      [" "],
      ["CON"],
      ["a:b"],
      ["x\u0007"],
      ["\u202egnp.exe"],
      ["x".repeat(300)],
    ];
    for (const path of paths) {
      const plan = { ...aPlan([]), files: [{ path, length: 1 }] };

      await assert.rejects(service.beginUpload(plan), /META_|name|path/, JSON.stringify(path));
    }
    const twins = [
      { path: ["a.txt"], length: 1 },
      { path: ["A.TXT"], length: 1 },
    ];
    await assert.rejects(
      service.beginUpload({ ...aPlan([]), files: twins }),
      fails("META_PATH_COLLISION"),
    );
    for (const name of ["", "..", "a/b", "A", "a..b", ".a", "x".repeat(101), "a\u0000"]) {
      await assert.rejects(service.beginUpload(aPlan([1], name)), fails("USAGE"), name);
    }
  });

  it("A9 UPL-10 a file has one writer at a time", async ({ service, settled }) => {
    await service.beginUpload(aPlan([3000, 10]));
    let release = (): void => undefined;
    const held = new Promise<void>((done) => {
      release = done;
    });
    let isReading = (): void => undefined;
    const reading = new Promise<void>((done) => {
      isReading = done;
    });
    const slow = async function* (): AsyncIterable<Uint8Array> {
      yield randomBytes(1000);
      isReading();
      await held;
      yield randomBytes(2000);
    };
    const first = service.appendFile("thing", { fileIndex: 0, offset: 0 }, slow());
    await reading;

    // The first request may still be on its way: until it arrives, the file is free.
    const second = async (): Promise<string> => {
      try {
        await service.appendFile("thing", { fileIndex: 0, offset: 0 }, bodyOf(Buffer.alloc(0)));
        return "free";
      } catch (error) {
        return error instanceof BtPublisherError ? String(error.detail["reason"]) : "other";
      }
    };
    let reason = await second();
    while (reason === "free") reason = await second();
    assert.equal(reason, "LOCKED");
    await service.appendFile("thing", { fileIndex: 1, offset: 0 }, bodyOf(randomBytes(10)));
    await assert.rejects(service.publishUpload("thing", options), fails("CONFLICT"));
    release();
    await first;
    await settled();

    assert.deepEqual((await service.uploadStatus("thing")).receivedBytes, [3000, 10]);
  });

  it("a cancelled upload is gone, and the name is free", async ({ service }) => {
    await upload(service, aPlan([3000]), [randomBytes(1000)]);

    await service.cancelUpload("thing");
    await service.cancelUpload("thing");

    await assert.rejects(service.uploadStatus("thing"), fails("NOT_FOUND"));
    await assert.rejects(service.publishUpload("thing", options), fails("NOT_FOUND"));
    assert.deepEqual((await service.beginUpload(aPlan([5]))).receivedBytes, [0]);
  });

  it("UPL-18 a publication is not cancelled but unpublished", async ({ service }) => {
    await upload(service, aPlan([3000]), [randomBytes(3000)]);
    const published = await service.publishUpload("thing", options);

    await assert.rejects(service.cancelUpload("thing"), fails("CONFLICT"));

    assert.deepEqual(await service.list(), [published]);
  });

  it("the same content is published once; API-20 and again after it was unpublished", async ({
    service,
  }) => {
    const bytes = randomBytes(30_000);
    await upload(service, aPlan([30_000]), [bytes]);
    const { infoHash } = await service.publishUpload("thing", options);
    await upload(service, aPlan([30_000], "other"), [bytes]);

    const second = service.publishUpload("other", options);
    await assert.rejects(second, fails("CONFLICT", "ALREADY_PUBLISHED"));

    await service.unpublish("thing");
    await service.unpublish("thing");
    assert.deepEqual(await service.list(), []);
    assert.equal((await service.publishUpload("other", options)).infoHash, infoHash);
  });

  it("F-63 two publishers of the same content at once: one wins", async ({ service }) => {
    const bytes = randomBytes(30_000);
    for (const name of ["a", "b"]) await upload(service, aPlan([30_000], name), [bytes]);

    const outcomes = await Promise.allSettled([
      service.publishUpload("a", options),
      service.publishUpload("b", options),
    ]);

    const failures = outcomes.filter((outcome) => outcome.status === "rejected");
    assert.equal(failures.length, 1);
    assert.ok(fails("CONFLICT")(failures[0]?.reason));
    assert.equal((await service.list()).length, 1);
  });

  it("a path of the service's own disk is published where it lies", async ({ service, folder }) => {
    const root = join(folder, "Images");
    const files = {
      "b.img": randomBytes(20_000),
      "a/z.img": randomBytes(3),
      "a.txt": Buffer.alloc(0),
    };
    for (const [path, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), bytes);
    }

    const whole = await service.publishLocal({ name: "images", path: root }, options);
    const one = await service.publishLocal({ name: "one", path: join(root, "b.img") }, options);

    assert.equal(whole.localPath, root);
    assert.equal(whole.contentName, "Images");
    assert.deepEqual(
      whole.files.map((file) => [file.path.join("/"), file.length]),
      [
        ["a/z.img", 3],
        ["a.txt", 0],
        ["b.img", 20_000],
      ],
    );
    assert.deepEqual(
      [one.contentName, one.isDirectory, one.contentLength],
      ["b.img", false, 20_000],
    );
    const again = await service.publishLocal({ name: "images", path: root }, options);
    assert.deepEqual(again, whole);
    const other = service.publishLocal({ name: "images", path: join(root, "a") }, options);
    await assert.rejects(other, fails("CONFLICT"));
    await service.unpublish("images");
    await service.publishLocal({ name: "images", path: root }, options);
  });

  it("UPL-16 only files and directories are published from a path", async ({ service, folder }) => {
    await mkdir(join(folder, "dir"));
    await writeFile(join(folder, "dir", "file"), "x");
    await symlink("/etc/passwd", join(folder, "dir", "link"));
    await mkdir(join(folder, "empty"));
    const publish = (path: string) => service.publishLocal({ name: "thing", path }, options);

    await assert.rejects(publish(join(folder, "dir")), fails("STORAGE_TYPE"));
    await assert.rejects(publish("/dev/null"), fails("STORAGE_TYPE"));
    await assert.rejects(publish(join(folder, "nothing")), fails("NO_INPUT"));
    await assert.rejects(publish(join(folder, "empty")), fails("META_EMPTY"));
    assert.deepEqual(await service.list(), []);

    // Who names a link means what it leads to; who names a folder does not mean what links in it do.
    await symlink(join(folder, "dir", "file"), join(folder, "named"));
    const { contentName, contentLength } = await publish(join(folder, "named"));
    assert.deepEqual([contentName, contentLength], ["named", 1]);
  });

  it("the ledger tells what was sent, from a moment on if wanted", async ({ service, send }) => {
    await upload(service, aPlan([30_000]), [randomBytes(30_000)]);
    const { infoHash } = await service.publishUpload("thing", options);
    await send("thing", 1000);
    await send("thing", 2000);

    const entries = await collect(service.ledger("thing"));

    assert.deepEqual(
      entries.map(({ door, pieceIndex, bytes }) => [door, pieceIndex, bytes]),
      [
        ["bittorrent", 0, 1000],
        ["bittorrent", 0, 2000],
      ],
    );
    assert.ok(entries.every((entry) => entry.infoHash === infoHash));
    const since = entries[1]?.at ?? 0;
    assert.deepEqual(await collect(service.ledger("thing", { since })), entries.slice(1));
    assert.deepEqual(await collect(service.ledger("thing", { since: since + 1 })), []);
    await assert.rejects(collect(service.ledger("other")), fails("NOT_FOUND"));
  });

  it("whoever watches sees at once what is served and what was sent", async ({ service, send }) => {
    await upload(service, aPlan([30_000]), [randomBytes(30_000)]);
    const { infoHash } = await service.publishUpload("thing", options);
    await send("thing", 1000);

    for await (const look of service.watch()) {
      const [swarm] = look.swarms;
      assert.equal(swarm?.infoHash, infoHash);
      assert.equal(swarm?.participation.figures.spentBytes, 1000);
      break;
    }
    for await (const look of service.watchPublication("thing")) {
      assert.deepEqual(look.bytesByDoor, { bittorrent: 1000, webseed: 0, webrtc: 0, http: 0 });
      assert.deepEqual([look.copies, look.sent], ["00", "10"]);
      assert.deepEqual([look.peers, look.otherPeers], [[], 0]);
      break;
    }
    const other = service.watchPublication("other")[Symbol.asyncIterator]();
    await assert.rejects(other.next(), fails("NOT_FOUND"));
  });
}
