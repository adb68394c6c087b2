import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFileSync, linkSync, mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { makeContent } from "../../../test/support/made-content.ts";
import { BtPublisherError, type ErrorCode } from "../../base/errors.ts";
import { DiskPool } from "./disk-pool.ts";
import { type HashContentOptions, hashContent } from "./hash-content.ts";

const pool = new DiskPool();
const root = await mkdtemp(join(tmpdir(), "btpublisher-hash-"));
after(async () => {
  await pool.close();
  await rm(root, { recursive: true });
});

const withCode = (code: ErrorCode) => (error: unknown) =>
  error instanceof BtPublisherError && error.code === code;

const content = makeContent({
  pieceLength: 1024 * 1024,
  files: [
    { path: "a/one", length: 3_000_000 },
    { path: "empty", length: 0 },
    { path: "two", length: 5 },
    { path: "three", length: 700_000 },
  ],
});

/** A new directory with `content` in it, and the options to hash it. */
async function written(): Promise<HashContentOptions> {
  const base = await mkdtemp(join(root, "d-"));
  const files = content.info.files.map(({ path, length, offset }) => {
    const full = join(base, ...path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content.bytes.subarray(offset, offset + length));
    return { path: path.join("/"), length };
  });
  return { pool, base, files, pieceLength: 1024 * 1024 };
}

test("hashes files as one content, and each by itself", async () => {
  const told: [number, number][] = [];
  const hashes = await hashContent({
    ...(await written()),
    withSha256: true,
    onProgress: (...now) => told.push(now),
  });

  assert.deepEqual(hashes.pieceHashes, content.info.pieceHashes);
  assert.deepEqual(
    hashes.sha256.map((digest) => Buffer.from(digest).toString("hex")),
    content.info.files.map(({ offset, length }) =>
      createHash("sha256")
        .update(content.bytes.subarray(offset, offset + length))
        .digest("hex"),
    ),
  );
  assert.ok(told.every(([done], i) => i === 0 || done >= (told[i - 1]?.[0] ?? 0)));
});

test("UPL-16 a sparse file is hashed with its holes as zeros", async () => {
  const options = await written();
  const length = 64 * 1024 * 1024;
  writeFileSync(join(options.base, "sparse"), "");
  truncateSync(join(options.base, "sparse"), length);

  const { pieceHashes } = await hashContent({ ...options, files: [{ path: "sparse", length }] });

  const zeros = createHash("sha1")
    .update(Buffer.alloc(1024 * 1024))
    .digest();
  assert.deepEqual(Buffer.from(pieceHashes), Buffer.concat(Array(64).fill(zeros)));
});

test("UPL-16 hard links are files like any other", async () => {
  const options = await written();
  linkSync(join(options.base, "two"), join(options.base, "again"));

  const { sha256 } = await hashContent({
    ...options,
    files: [
      { path: "two", length: 5 },
      { path: "again", length: 5 },
    ],
    withSha256: true,
  });

  assert.deepEqual(sha256[0], sha256[1]);
});

for (const [what, change] of [
  ["grew", (path: string) => appendFileSync(path, "x")],
  ["was cut", (path: string) => truncateSync(path, 1)],
  ["was deleted", (path: string) => rmSync(path)],
] as const) {
  test(`UPL-15 a file that ${what} since it was looked at is refused`, async () => {
    const options = await written();
    change(join(options.base, "three"));

    await assert.rejects(
      hashContent({ ...options, withSha256: true }),
      withCode("STORAGE_CHANGED"),
    );
  });
}

for (const [what, change] of [
  ["grows", (path: string) => appendFileSync(path, "x")],
  ["is cut", (path: string) => truncateSync(path, 1)],
  ["is deleted", (path: string) => rmSync(path)],
  [
    "is replaced by one as long",
    (path: string) => {
      rmSync(path);
      writeFileSync(path, Buffer.alloc(3_000_000));
    },
  ],
] as const) {
  test(`UPL-15 a file that ${what} while it is hashed is refused`, async () => {
    const options = await written();
    let hasChanged = false;
    const onProgress = (): void => {
      if (!hasChanged) change(join(options.base, "a/one"));
      hasChanged = true;
    };

    await assert.rejects(hashContent({ ...options, onProgress }), withCode("STORAGE_CHANGED"));
  });
}

test("gives up when it is told to", async () => {
  const options = await written();
  const signal = { aborted: false };
  const onProgress = (): void => {
    signal.aborted = true;
  };

  await assert.rejects(
    hashContent({ ...options, signal: { aborted: true }, withSha256: true }),
    withCode("CANCELLED"),
  );
  // Told in the end only, when there is nothing left to give up.
  await hashContent({ ...options, signal, onProgress });
});
