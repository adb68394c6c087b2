import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Content, makeContent, pieceBytes } from "../../../test/support/made-content.ts";
import { BtPublisherError, type ErrorCode } from "../../base/errors.ts";
import type { OpenDownload, OpenDownloadOptions } from "../../ports/download-storage.ts";
import type { Metainfo } from "../../protocol/metainfo/metainfo.ts";
import { DiskDownloadStorage } from "./disk-download-storage.ts";
import { DiskPool } from "./disk-pool.ts";

const pool = new DiskPool();
const storage = new DiskDownloadStorage(pool);
const root = await mkdtemp(join(tmpdir(), "btpublisher-downloads-"));
after(async () => {
  await pool.close();
  await rm(root, { recursive: true });
});

const newDirectory = () => mkdtemp(join(root, "d-"));
const withCode = (code: ErrorCode) => (error: unknown) =>
  error instanceof BtPublisherError && error.code === code;

const PIECE = 16 * 1024;
const content = makeContent({ name: "file.bin", files: 40 * PIECE - 1, pieceLength: PIECE });
const other = makeContent({ name: "file.bin", files: 40 * PIECE, pieceLength: PIECE, seed: 2 });
const half = Array.from({ length: 20 }, (_, i) => 2 * i);
const statePath = (directory: string): string => join(directory, ".file.bin.btpublisher");
const contentPath = (directory: string): string => join(directory, "file.bin");

function metainfoOf({ info }: Content): Metainfo {
  return {
    info,
    announceTiers: [["http://a/announce"]],
    webSeeds: ["http://b/"],
    comment: undefined,
    createdBy: undefined,
    creationDate: undefined,
  };
}

function open(
  directory: string,
  options: Partial<OpenDownloadOptions> & { readonly of?: Content } = {},
): Promise<OpenDownload> {
  const { of = content, ...rest } = options;
  return storage.open(metainfoOf(of), { directory, overwrite: false, ...rest });
}

/** Commits pieces and keeps `have` up to date, as the runtime does. */
async function receive(
  download: OpenDownload,
  pieces: Iterable<number>,
  of: Content = content,
): Promise<void> {
  for (const pieceIndex of pieces) {
    const buffer = download.store.takeBuffer(pieceIndex);
    buffer.set(pieceBytes(of, pieceIndex));
    assert.equal(await download.store.commit(pieceIndex, buffer), "stored");
    download.have.add(pieceIndex);
  }
}

/** A directory with half of the content in it, orderly closed. */
async function closedHalf(): Promise<string> {
  const directory = await newDirectory();
  const download = await open(directory);
  await receive(download, half);
  // A time that can be set again to the last digit.
  utimesSync(contentPath(directory), 1000, 1000);
  await download.close();
  return directory;
}

/** What a killed process leaves: its lock means nothing, the rest is as it was. */
async function killedHalf(): Promise<string> {
  const directory = await newDirectory();
  await receive(await open(directory), half);
  rmSync(`${statePath(directory)}-lock`);
  return directory;
}

/** Opens, looks what is there and how much was hashed for that, and closes. */
async function look(directory: string, options: Partial<OpenDownloadOptions> = {}) {
  let hashedBytes = 0;
  const warnings: string[] = [];
  const download = await open(directory, {
    onCheck: (doneBytes, totalBytes) => {
      if (doneBytes === totalBytes) hashedBytes += totalBytes;
    },
    onWarning: (warning) => warnings.push(warning.code),
    ...options,
  });
  const have = [...download.have];
  await download.close();
  return { have, hashedBytes, warnings };
}

/** Changes bytes of a file of `closedHalf`, and nothing that is seen from outside. */
function corrupt(path: string, position: number): void {
  const fd = openSync(path, "r+");
  writeSync(fd, "corrupt", position);
  closeSync(fd);
  utimesSync(path, 1000, 1000);
}

describe("a download", () => {
  test("starts with nothing, and leaves nothing but the content when it is complete", async () => {
    const directory = join(await newDirectory(), "made/for/it");
    const download = await open(directory);
    assert.equal(download.path, contentPath(directory));
    assert.ok(download.have.isEmpty);

    await receive(download, [0]);
    assert.ok(existsSync(statePath(directory)));

    await receive(
      download,
      Array.from({ length: 39 }, (_, i) => i + 1),
    );
    await download.close();

    assert.deepEqual(readdirSync(directory), ["file.bin"]);
    assert.deepEqual(readFileSync(contentPath(directory)), Buffer.from(content.bytes));
  });

  test("that was complete is found complete, and leaves no traces again", async () => {
    const directory = await newDirectory();
    writeFileSync(contentPath(directory), content.bytes);

    const { have, hashedBytes } = await look(directory);

    assert.equal(have.length, 40);
    assert.equal(hashedBytes, content.bytes.length);
    assert.deepEqual(readdirSync(directory), ["file.bin"]);
  });

  test("goes on after an orderly end, having hashed a sample only", async () => {
    const directory = await closedHalf();

    const { have, hashedBytes, warnings } = await look(directory);

    assert.deepEqual(have, half);
    assert.ok(hashedBytes <= 9 * PIECE, `${hashedBytes} bytes hashed`);
    assert.deepEqual(warnings, []);
  });

  test("goes on after a kill with all that was stored, having hashed what is there", async () => {
    const directory = await killedHalf();

    const { have, hashedBytes } = await look(directory);

    assert.deepEqual(have, half);
    assert.equal(hashedBytes, content.bytes.length);
    // That was orderly again.
    assert.ok((await look(directory)).hashedBytes <= 9 * PIECE);
  });

  test("can be moved with its hidden file, and goes on there", async () => {
    const [directory, target] = [await closedHalf(), await newDirectory()];
    for (const name of readdirSync(directory)) {
      const from = join(directory, name);
      writeFileSync(join(target, name), readFileSync(from));
      utimesSync(join(target, name), statSync(from).atime, statSync(from).mtime);
    }

    assert.deepEqual((await look(target)).have, half);
  });

  test("has room for a name of any length", async () => {
    const long = makeContent({ name: `${"\u00e9".repeat(120)}.bin`, files: 2 * PIECE });
    const directory = await newDirectory();
    const download = await open(directory, { of: long });
    await receive(download, [0], long);
    await download.close();

    const again = await open(directory, { of: long });
    assert.deepEqual([...again.have], [0]);
    await again.close();
  });

  test("remembers the metainfo for a magnet link", async () => {
    const directory = await closedHalf();
    writeFileSync(join(directory, ".other.btpublisher"), "damaged");

    const found = await storage.findMetainfo(content.info.infoHash, directory);
    assert.deepEqual({ ...found, info: undefined }, { ...metainfoOf(content), info: undefined });
    assert.deepEqual(found?.info.pieceHashes, content.info.pieceHashes);
    assert.equal(await storage.findMetainfo(other.info.infoHash, directory), undefined);
    assert.equal(
      await storage.findMetainfo(content.info.infoHash, join(directory, "missing")),
      undefined,
    );
  });

  test("gives up checking when it is told to, and can be opened again", async () => {
    const directory = await killedHalf();
    await assert.rejects(open(directory, { signal: { aborted: true } }), withCode("CANCELLED"));

    assert.deepEqual((await look(directory)).have, half);
  });
});

describe("resume data", () => {
  for (const [what, damage] of [
    ["RES-01 that is empty", () => ""],
    ["RES-01 that is random", () => "\u0000\u00ff8:garbage"],
    ["RES-02 that is cut", (data: Buffer) => data.subarray(0, data.length >> 1)],
    ["RES-10 with a flipped bit", (data: Buffer) => data.fill((data[30] as number) ^ 1, 30, 31)],
  ] as const) {
    test(`${what} is warned of, and all that is there is hashed`, async () => {
      const directory = await closedHalf();
      writeFileSync(statePath(directory), damage(readFileSync(statePath(directory))));

      const { have, hashedBytes, warnings } = await look(directory);

      assert.deepEqual(warnings, ["RESUME_BAD"]);
      assert.deepEqual(have, half);
      assert.equal(hashedBytes, content.bytes.length);
    });
  }

  test("RES-03 of a newer version is refused and kept", async () => {
    const directory = await closedHalf();
    writeFileSync(statePath(directory), "d7:versioni2ee");

    await assert.rejects(open(directory), withCode("RESUME_VERSION"));
    assert.equal(readFileSync(statePath(directory), "utf8"), "d7:versioni2ee");
    assert.ok(!existsSync(`${statePath(directory)}-lock`));
  });

  test("RES-04 of another torrent is warned of, and what both have in common is kept", async () => {
    const directory = await closedHalf();
    writeFileSync(contentPath(directory), content.bytes);
    // Its piece 3 is ours.
    const similar = {
      ...other,
      info: { ...other.info, pieceHashes: other.info.pieceHashes.slice() },
    };
    similar.info.pieceHashes.set(content.info.pieceHashes.subarray(60, 80), 60);

    const warnings: string[] = [];
    const download = await open(directory, {
      of: similar,
      onWarning: ({ code }) => warnings.push(code),
    });
    assert.deepEqual(warnings, ["RESUME_MISMATCH"]);
    assert.deepEqual([...download.have], [3]);
    await download.close();
  });

  test("RES-04 of another torrent that has nothing in common is refused", async () => {
    const directory = await closedHalf();
    const before = readFileSync(contentPath(directory));

    await assert.rejects(open(directory, { of: other }), withCode("STORAGE_EXISTS"));
    assert.deepEqual(readFileSync(contentPath(directory)), before);
  });

  test("RES-06 that claims pieces of files that are gone", async () => {
    const directory = await closedHalf();
    rmSync(contentPath(directory));

    assert.deepEqual((await look(directory)).have, []);
  });

  test("RES-07 that claims pieces of a file that is shorter now", async () => {
    const directory = await closedHalf();
    truncateSync(contentPath(directory), 10 * PIECE);

    assert.deepEqual((await look(directory)).have, [0, 2, 4, 6, 8]);
  });

  test("RES-08 that claims pieces whose bytes differ: the sample shows it", async () => {
    const directory = await closedHalf();
    corrupt(contentPath(directory), 0);
    corrupt(contentPath(directory), 4 * PIECE);

    const { have, hashedBytes } = await look(directory);

    assert.deepEqual(
      have,
      half.filter((pieceIndex) => pieceIndex !== 0 && pieceIndex !== 4),
    );
    assert.ok(hashedBytes >= 20 * PIECE);
  });

  test("RES-09 of a file that was modified since", async () => {
    const directory = await closedHalf();
    utimesSync(contentPath(directory), 1001, 1001);

    const { have, hashedBytes } = await look(directory);

    assert.deepEqual(have, half);
    assert.equal(hashedBytes, content.bytes.length);
  });

  test("RES-11 behind a symbolic link is refused", async () => {
    const directory = await newDirectory();
    const target = join(await newDirectory(), "target");
    writeFileSync(target, "mine");
    symlinkSync(target, statePath(directory));

    await assert.rejects(open(directory), withCode("STORAGE_PATH"));
    assert.equal(readFileSync(target, "utf8"), "mine");
  });

  test("RES-12 a second download in the same place is refused until the first one ends", async () => {
    const directory = await newDirectory();
    const first = await open(directory);
    await assert.rejects(open(directory), withCode("LOCKED"));
    await first.close();

    await (await open(directory)).close();
  });

  test("RES-14 an unfinished file of another program is taken after hashing", async () => {
    const directory = await newDirectory();
    writeFileSync(contentPath(directory), content.bytes.subarray(0, 3 * PIECE + 5));

    assert.deepEqual((await look(directory)).have, [0, 1, 2]);
  });

  test("RES-17 a foreign file is refused, and replaced only when that is asked for", async () => {
    const directory = await newDirectory();
    writeFileSync(contentPath(directory), "my diary");
    await assert.rejects(open(directory), withCode("STORAGE_EXISTS"));
    assert.equal(readFileSync(contentPath(directory), "utf8"), "my diary");
    assert.deepEqual(readdirSync(directory), ["file.bin"]);

    const download = await open(directory, { overwrite: true });
    await receive(download, Array(40).keys());
    await download.close();
    assert.deepEqual(readFileSync(contentPath(directory)), Buffer.from(content.bytes));
  });

  test("F-18 is not to be trusted when a file was lost while it was written", async () => {
    const directory = await newDirectory();
    const download = await open(directory);
    await receive(download, half);
    const copy = readFileSync(contentPath(directory));
    rmSync(contentPath(directory));

    await assert.rejects(download.close(), withCode("STORAGE_CHANGED"));
    assert.ok(!existsSync(`${statePath(directory)}-lock`));
    writeFileSync(contentPath(directory), copy);
    assert.equal((await look(directory)).hashedBytes, content.bytes.length);
  });
});
