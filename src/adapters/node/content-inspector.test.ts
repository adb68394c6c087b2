import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { type Content, makeContent } from "../../../test/support/made-content.ts";
import { BtPublisherError, type ErrorCode } from "../../base/errors.ts";
import { DiskContentInspector } from "./content-inspector.ts";
import { DiskPool } from "./disk-pool.ts";

const pool = new DiskPool();
const inspector = new DiskContentInspector(pool);
const root = await realpath(await mkdtemp(join(tmpdir(), "btpublisher-inspector-")));
after(async () => {
  await pool.close();
  await rm(root, { recursive: true });
});

const newDirectory = () => mkdtemp(join(root, "d-"));
const withCode = (code: ErrorCode) => (error: unknown) =>
  error instanceof BtPublisherError && error.code === code;

/** Writes `content` into a new directory and returns its path there. */
async function written({ info, bytes }: Content): Promise<string> {
  const directory = await newDirectory();
  for (const { path, offset, length } of info.files) {
    const full = join(directory, info.isDirectory ? info.name : "", ...path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, bytes.subarray(offset, offset + length));
  }
  return join(directory, info.name);
}

/** A directory `content` with these files, one byte each. */
async function writtenNames(...names: readonly (string | Buffer)[]): Promise<string> {
  const path = join(await newDirectory(), "content");
  mkdirSync(path);
  for (const name of names) {
    writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name)]), "x");
  }
  return path;
}

const tree = makeContent({
  name: "tree",
  files: [
    { path: "a/one", length: 40_000 },
    { path: "a-b", length: 3 },
    { path: "empty", length: 0 },
    { path: "\u00fcber", length: 70_000 },
    { path: "\uffee", length: 1 },
    { path: "\u{1f600}", length: 1 },
  ],
});
const single = makeContent({ name: "file.bin", files: 100_000 });
const options = { pieceLength: 32 * 1024 };

describe("scanning", () => {
  test("finds files in the order of their names' bytes, directory by directory", async () => {
    const path = await written(tree);
    mkdirSync(join(path, "nothing"));

    const found = await inspector.scan(path);

    assert.deepEqual(found, {
      path,
      contentName: "tree",
      isDirectory: true,
      files: tree.info.files.map((file) => ({ path: file.path, length: file.length })),
    });
  });

  test("takes a single file, and what a link leads to under the link's name", async () => {
    const path = await written(single);
    const link = join(dirname(path), "latest");
    symlinkSync(path, link);

    const files = (name: string) => [{ path: [name], length: 100_000 }];
    assert.deepEqual(await inspector.scan(path), {
      path,
      contentName: "file.bin",
      isDirectory: false,
      files: files("file.bin"),
    });
    assert.deepEqual(await inspector.scan(link), {
      path,
      contentName: "latest",
      isDirectory: false,
      files: files("latest"),
    });
  });

  test("says that there is nothing", async () => {
    await assert.rejects(inspector.scan(join(root, "missing")), withCode("NO_INPUT"));
  });

  for (const [what, make] of [
    ["a symbolic link", (path: string) => symlinkSync("/etc/passwd", path)],
    ["a symbolic link to a directory", (path: string) => symlinkSync("/etc", path)],
    ["a broken symbolic link", (path: string) => symlinkSync("nowhere", path)],
    ["a FIFO", (path: string) => execFileSync("mkfifo", [path])],
  ] as const) {
    test(`UPL-16 ${what} inside is refused`, async () => {
      const path = await writtenNames("good");
      make(join(path, "special"));

      await assert.rejects(inspector.scan(path), (error) => {
        assert.ok(withCode("STORAGE_TYPE")(error));
        assert.match((error as Error).message, /content\/special/);
        return true;
      });
    });
  }

  test("UPL-16 all that cannot be published is told at once", async () => {
    const path = await writtenNames("good", Buffer.from([0xff]));
    for (let i = 10; i < 22; i++) symlinkSync("good", join(path, `link-${i}`));

    await assert.rejects(inspector.scan(path), (error) => {
      const lines = (error as Error).message.split("\n");
      assert.match(lines[0] ?? "", /content\/link-10.* is a symbolic link|it is a symbolic link/);
      assert.match(lines[9] ?? "", /link-19/);
      assert.equal(lines[10], "and 3 more");
      return true;
    });
  });

  test("UPL-16 a device is refused, and a hard link is a file", async () => {
    await assert.rejects(inspector.scan("/dev/null"), withCode("STORAGE_TYPE"));

    const path = await writtenNames("one");
    linkSync(join(path, "one"), join(path, "two"));
    assert.equal((await inspector.scan(path)).files.length, 2);
  });

  const refused: readonly (readonly [string, ErrorCode, readonly (string | Buffer)[]])[] = [
    ["UPL-06 a reserved name", "META_NAME", ["CON"]],
    ["UPL-06 a character that Windows does not allow", "META_NAME", ["a:b"]],
    ["UPL-06 a control character", "META_NAME", ["a\u0007"]],
    ["UPL-06 a name that is not UTF-8", "META_NAME", [Buffer.from([0x61, 0xff])]],
    ["UPL-06 names that differ in case only", "META_PATH_COLLISION", ["a", "A"]],
  ];
  for (const [what, code, names] of refused) {
    test(`${what} is refused`, async () => {
      await assert.rejects(inspector.scan(await writtenNames(...names)), withCode(code));
    });
  }

  test("UPL-05 nothing but empty files is refused", async () => {
    const path = await writtenNames("one");
    truncateSync(join(path, "one"), 0);

    await assert.rejects(inspector.scan(path), withCode("META_EMPTY"));
  });

  test("UPL-06 a path that is too deep is refused", async () => {
    const path = await writtenNames();
    mkdirSync(join(path, ...Array<string>(150).fill("d")), { recursive: true });

    await assert.rejects(inspector.scan(path), withCode("META_PATH_DEPTH"));
  });
});

describe("hashing", () => {
  for (const content of [tree, single]) {
    test(`makes the torrent of ${content.info.name}`, async () => {
      const found = await inspector.scan(await written(content));

      const { info, sha256 } = await inspector.hash(found, {
        ...options,
        isPrivate: false,
        onProgress: () => undefined,
        signal: { aborted: false },
      });

      assert.equal(info.infoHash, content.info.infoHash);
      assert.equal((await inspector.createInfo(found, options)).infoHash, info.infoHash);
      assert.deepEqual(
        sha256,
        content.info.files.map(({ offset, length }) => {
          const bytes = content.bytes.subarray(offset, offset + length);
          return createHash("sha256").update(bytes).digest("hex");
        }),
      );
    });
  }

  test("chooses a piece length, and keeps a torrent private when asked to", async () => {
    const found = await inspector.scan(await written(single));
    const info = await inspector.createInfo(found, { isPrivate: true });

    assert.equal(info.geometry.pieceLength, 64 * 1024);
    assert.ok(info.isPrivate);
  });

  test("UPL-15 content that changed since it was scanned is refused", async () => {
    const found = await inspector.scan(await written(tree));
    truncateSync(join(found.path, "a-b"), 2);

    await assert.rejects(inspector.createInfo(found, options), withCode("STORAGE_CHANGED"));
  });
});

test("stamps show what a file looks like, and nothing for what is no file of ours", async () => {
  const path = await written(tree);
  const found = await inspector.scan(path);
  utimesSync(join(path, "a-b"), 1000, 1000);
  rmSync(join(path, "empty"));
  rmSync(join(path, "\u00fcber"));
  symlinkSync("a-b", join(path, "\u00fcber"));

  const stamps = await inspector.stamps(found);
  assert.deepEqual(
    stamps.map((stamp) => stamp?.length),
    [40_000, 3, undefined, undefined, 1, 1],
  );
  assert.equal(stamps[1]?.modifiedAt, 1_000_000);

  renameSync(path, `${path}.old`);
  symlinkSync(`${path}.old`, path);
  assert.ok((await inspector.stamps(found)).every((stamp) => stamp === undefined));
});
