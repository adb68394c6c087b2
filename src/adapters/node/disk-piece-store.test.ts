import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { describePieceStoreContract } from "../../../test/contracts/piece-store.ts";
import { type Content, makeContent, pieceBytes } from "../../../test/support/made-content.ts";
import { BtPublisherError, type ErrorCode } from "../../base/errors.ts";
import {
  type DiskPieceStore,
  type DiskPieceStoreOptions,
  openDiskPieceStore,
} from "./disk-piece-store.ts";
import { DiskPool } from "./disk-pool.ts";

const pool = new DiskPool({ maxOpenFiles: 16 });
const root = await mkdtemp(join(tmpdir(), "btpublisher-store-"));
after(async () => {
  await pool.close();
  await rm(root, { recursive: true });
});

const newDirectory = () => mkdtemp(join(root, "d-"));

function open(
  content: Content,
  directory: string,
  options: Partial<DiskPieceStoreOptions> = {},
): Promise<DiskPieceStore> {
  return openDiskPieceStore({ info: content.info, directory, mode: "download", pool, ...options });
}

function commit(store: DiskPieceStore, content: Content, pieceIndex: number) {
  const buffer = store.takeBuffer(pieceIndex);
  buffer.set(pieceBytes(content, pieceIndex));
  return store.commit(pieceIndex, buffer);
}

async function commitAll(store: DiskPieceStore, content: Content): Promise<void> {
  for (let i = 0; i < content.info.geometry.pieceCount; i++) {
    assert.equal(await commit(store, content, i), "stored");
  }
}

/** Writes all of `content` the way another program would. */
function writeContent(content: Content, directory: string): void {
  const { info, bytes } = content;
  for (const file of info.files) {
    if (file.isPad) continue;
    const path = join(directory, info.isDirectory ? info.name : "", ...file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes.subarray(file.offset, file.offset + file.length));
  }
}

const withCode = (code: ErrorCode) => (error: unknown) =>
  error instanceof BtPublisherError && error.code === code;

const single = makeContent({ name: "file.bin", files: 100_000 });
const tree = makeContent({
  name: "tree",
  files: [
    { path: "a/deep/one", length: 40_000 },
    { path: ".pad/100", length: 100, isPad: true },
    { path: "a/empty", length: 0 },
    { path: "two", length: 70_000 },
  ],
});

describePieceStoreContract("DiskPieceStore", async (info) =>
  openDiskPieceStore({ info, directory: await newDirectory(), mode: "download", pool }),
);

describe("files of a DiskPieceStore", () => {
  test("a download leaves exactly the torrent's files, empty ones too, and no pad file", async () => {
    const directory = await newDirectory();
    const store = await open(tree, directory);
    await commitAll(store, tree);
    await store.close();

    const expected = await newDirectory();
    writeContent(tree, expected);
    const list = (path: string) => readdirSync(path, { recursive: true }).sort();
    assert.deepEqual(list(directory), list(expected));
    for (const file of tree.info.files.filter(({ isPad }) => !isPad)) {
      const path = join("tree", ...file.path);
      assert.deepEqual(readFileSync(join(directory, path)), readFileSync(join(expected, path)));
    }
  });

  test("makes a missing download directory", async () => {
    const directory = join(await newDirectory(), "x/y");
    const store = await open(single, directory);
    await commitAll(store, single);
    await store.close();

    assert.deepEqual(readFileSync(join(directory, "file.bin")), Buffer.from(single.bytes));
  });

  test("a file is as sparse as what is missing, and its holes are quickly not there", async () => {
    const content = makeContent({ files: 4 * 1024 * 1024 + 1, pieceLength: 1024 * 1024 });
    const directory = await newDirectory();
    const store = await open(content, directory);
    const last = content.info.geometry.pieceCount - 1;
    await commit(store, content, last);

    const { size, blocks } = statSync(join(directory, "content"));
    assert.equal(size, 4 * 1024 * 1024 + 1);
    assert.ok(blocks * 512 < 64 * 1024);
    assert.deepEqual([...(await store.check())], [last]);
    await store.close();
  });

  test("pieces of zeros are found in a hole, and a missing file is not one", async () => {
    const content = makeContent({ files: [{ path: "zeros", length: 300_000, isPad: true }] });
    // The pad file's bytes are zeros; here they belong to a real file.
    const files = content.info.files.map((file) => ({ ...file, isPad: false }));
    const zeros = { ...content, info: { ...content.info, files } };
    const directory = await newDirectory();
    const store = await open(zeros, directory);

    assert.ok((await store.check()).isEmpty);
    mkdirSync(join(directory, "content"));
    writeFileSync(join(directory, "content/zeros"), "");
    truncateSync(join(directory, "content/zeros"), 100_000);
    assert.deepEqual([...(await store.check())], [0, 1, 2]);
    await store.close();
  });

  test("a piece with something in its pad file is refused", async () => {
    const honest = makeContent({ files: [{ path: "pad", length: 30_000 }] });
    const files = honest.info.files.map((file) => ({ ...file, isPad: true }));
    const store = await open({ ...honest, info: { ...honest.info, files } }, await newDirectory());

    assert.equal(await commit(store, honest, 0), "hash-mismatch");
    await store.close();
  });

  test("hundreds of files need few descriptors, and closing gives all of them back", async () => {
    const files = Array.from({ length: 600 }, (_, i) => ({
      path: `${i % 7}/${i}`,
      length: i % 50,
    }));
    const content = makeContent({ files, pieceLength: 16 * 1024 });
    const store = await open(content, await newDirectory());
    const before = readdirSync("/proc/self/fd").length;
    await commitAll(store, content);
    for (let offset = 0; offset < content.bytes.length; offset += 97) {
      const view = new Uint8Array(Math.min(97, content.bytes.length - offset));
      await store.read(offset, [view]);
      assert.deepEqual(view, content.bytes.subarray(offset, offset + view.length));
    }

    assert.ok((await store.check()).isFull);
    assert.ok(readdirSync("/proc/self/fd").length <= before + 16);
    await store.close();
    assert.ok(readdirSync("/proc/self/fd").length <= before);
  });

  test("reads more views than the system takes at once", async () => {
    const directory = await newDirectory();
    writeContent(single, directory);
    const store = await open(single, directory, { mode: "seed" });
    const views = Array.from({ length: 5000 }, () => new Uint8Array(20));

    await store.read(0, views);

    assert.deepEqual(Buffer.concat(views), Buffer.from(single.bytes));
    await store.close();
  });
});

describe("what is on the disk already", () => {
  test("RES-14 an older part of the file is taken as it is and completed", async () => {
    const directory = await newDirectory();
    writeFileSync(join(directory, "file.bin"), single.bytes.subarray(0, 70_000));
    const store = await open(single, directory);

    assert.deepEqual([...(await store.check())], [0, 1]);
    await commit(store, single, 2);
    await commit(store, single, 3);
    await store.close();
    assert.deepEqual(readFileSync(join(directory, "file.bin")), Buffer.from(single.bytes));
  });

  test("RES-17 a longer file is refused and left alone, and cut only when that is asked for", async () => {
    const directory = await newDirectory();
    const path = join(directory, "file.bin");
    writeFileSync(path, Buffer.concat([single.bytes, Buffer.from("more")]));

    await assert.rejects(open(single, directory), withCode("STORAGE_EXISTS"));
    await assert.rejects(open(single, directory, { mode: "seed" }), withCode("STORAGE_EXISTS"));
    assert.equal(statSync(path).size, 100_004);

    const store = await open(single, directory, { overwrite: true });
    assert.equal(statSync(path).size, 100_000);
    assert.ok((await store.check()).isFull);
    await store.close();
  });

  test("RES-17 nothing is changed when a later file is refused", async () => {
    const directory = await newDirectory();
    mkdirSync(join(directory, "tree"));
    writeFileSync(join(directory, "tree/two"), Buffer.alloc(70_001));

    await assert.rejects(open(tree, directory), withCode("STORAGE_EXISTS"));
    assert.deepEqual(readdirSync(directory, { recursive: true }).sort(), ["tree", "tree/two"]);
  });

  test("RES-18 names in another Unicode form are found and used", async () => {
    const content = makeContent({
      name: "caf\u00e9",
      files: [{ path: "\u00fcber/na\u00efve.txt", length: 40_000 }],
    });
    const directory = await newDirectory();
    mkdirSync(join(directory, "cafe\u0301/u\u0308ber"), { recursive: true });
    const decomposed = join(directory, "cafe\u0301/u\u0308ber/nai\u0308ve.txt");
    writeFileSync(decomposed, content.bytes.subarray(0, 32_768));

    const store = await open(content, directory);
    assert.equal(store.path, join(directory, "cafe\u0301"));
    assert.deepEqual([...(await store.check())], [0]);
    await commit(store, content, 1);
    await store.close();

    assert.deepEqual(readFileSync(decomposed), Buffer.from(content.bytes));
    assert.deepEqual(readdirSync(directory), ["cafe\u0301"]);
  });

  for (const [kind, make] of [
    ["a directory", (path: string) => mkdirSync(path)],
    ["a FIFO", (path: string) => execFileSync("mkfifo", [path])],
  ] as const) {
    test(`RES-16 ${kind} where a file is expected is refused, without blocking`, async () => {
      const directory = await newDirectory();
      make(join(directory, "file.bin"));

      await assert.rejects(open(single, directory), withCode("STORAGE_TYPE"));
      await assert.rejects(open(single, directory, { mode: "seed" }), withCode("STORAGE_TYPE"));
    });
  }

  test("RES-16 a FIFO that takes a file's place later is refused too", async () => {
    const directory = await newDirectory();
    const store = await open(single, directory);
    execFileSync("mkfifo", [join(directory, "file.bin")]);

    await assert.rejects(commit(store, single, 0), withCode("STORAGE_TYPE"));
    await assert.rejects(async () => store.read(0, [new Uint8Array(1)]), withCode("STORAGE_TYPE"));
    await assert.rejects(store.check(), withCode("STORAGE_TYPE"));
    await store.close();
  });

  test("RES-16 a file where a directory is expected is refused", async () => {
    const directory = await newDirectory();
    writeFileSync(join(directory, "tree"), "I am a file");

    await assert.rejects(open(tree, directory), withCode("STORAGE_TYPE"));
    assert.equal(readFileSync(join(directory, "tree"), "utf8"), "I am a file");
  });

  test("RES-11 a symbolic link instead of the content is refused", async () => {
    const [directory, elsewhere] = [await newDirectory(), await newDirectory()];
    symlinkSync(join(elsewhere, "target"), join(directory, "file.bin"));
    symlinkSync(elsewhere, join(directory, "tree"));

    await assert.rejects(open(single, directory), withCode("STORAGE_PATH"));
    await assert.rejects(open(tree, directory), withCode("STORAGE_PATH"));
    assert.deepEqual(readdirSync(elsewhere), []);
  });

  test("TOR-30 a directory that becomes a link while we write is not followed out", async () => {
    const [directory, elsewhere] = [await newDirectory(), await newDirectory()];
    const store = await open(tree, directory);
    rmSync(join(directory, "tree/a"), { recursive: true });
    symlinkSync(elsewhere, join(directory, "tree/a"));

    await assert.rejects(commit(store, tree, 0), withCode("STORAGE_PATH"));
    await assert.rejects(async () => store.read(0, [new Uint8Array(1)]), withCode("STORAGE_PATH"));
    assert.deepEqual(readdirSync(elsewhere), []);
    await store.close();
  });

  test("a download directory that is a link itself is the user's choice", async () => {
    const [directory, link] = [await newDirectory(), join(root, "link")];
    symlinkSync(directory, link);
    const store = await open(single, link);
    await commitAll(store, single);
    await store.close();

    assert.ok(existsSync(join(directory, "file.bin")));
  });
});

describe("files that change under a DiskPieceStore", () => {
  test("F-18 a file that was cut cannot be read, and can again when it is whole", async () => {
    const directory = await newDirectory();
    writeContent(single, directory);
    const store = await open(single, directory, { mode: "seed" });
    const view = new Uint8Array(10);
    await store.read(99_990, [view]);

    truncateSync(join(directory, "file.bin"), 50_000);
    await assert.rejects(async () => store.read(99_990, [view]), withCode("STORAGE_IO"));
    rmSync(join(directory, "file.bin"));
    await assert.rejects(async () => store.read(99_990, [view]), withCode("STORAGE_IO"));

    writeContent(single, directory);
    await store.read(99_990, [view]);
    assert.deepEqual(view, single.bytes.subarray(99_990));
    await store.close();
  });

  for (const [what, act] of [
    ["deleted", (path: string) => rmSync(path)],
    ["moved away", (path: string) => renameSync(path, `${path}.old`)],
    ["replaced", (path: string) => renameSync(join(dirname(path), "other"), path)],
  ] as const) {
    test(`F-18 a file that is ${what} during a download is not reported as safe`, async () => {
      const directory = await newDirectory();
      const store = await open(single, directory);
      await commitAll(store, single);
      writeFileSync(join(directory, "other"), "other");
      act(join(directory, "file.bin"));

      await assert.rejects(store.flush(), withCode("STORAGE_CHANGED"));
      // What the system said once, it does not say again; the store does.
      await assert.rejects(store.flush(), withCode("STORAGE_CHANGED"));
      await assert.rejects(store.close(), withCode("STORAGE_CHANGED"));
    });
  }
});
