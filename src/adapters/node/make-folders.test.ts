/** Folders that are made one by one. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { makeFolders } from "./make-folders.ts";

describe("makeFolders", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "btp-folders-"));
    writeFileSync(join(folder, "file"), "");
  });

  after(() => rmSync(folder, { recursive: true }));

  test("makes all that are missing, with the mode, and takes what is there", async () => {
    const path = join(folder, "a", "b", "c");
    await makeFolders(path, 0o700);
    await makeFolders(path, 0o700);
    assert.equal(statSync(join(folder, "a")).mode & 0o777, 0o700);
    assert.ok(statSync(path).isDirectory());
  });

  test("a file in the way is named", async () => {
    for (const path of [join(folder, "file"), join(folder, "file", "below")]) {
      await assert.rejects(makeFolders(path), { code: "STORAGE_TYPE", message: /file" is a file/ });
    }
  });

  test("where a file system takes no folders it says so", async () => {
    // Other systems have no such file system at hand.
    if (process.platform !== "linux") return;
    await assert.rejects(makeFolders("/proc/none/below"), {
      code: "STORAGE_PATH",
      message: /"\/proc\/none"/,
    });
  });
});
