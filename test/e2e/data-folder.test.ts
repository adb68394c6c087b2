/** A server that cannot keep its data says so at once, and how. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Ended, runCommand } from "../support/command-line.ts";
import { mountSmallFileSystem } from "../support/small-file-system.ts";

describe("CFG-07 serve with a data folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "btp-data-folder-"));

  after(() => rmSync(folder, { recursive: true }));

  const serve = (data: string): Promise<Ended> => {
    const ports = ["--http-port", "0", "--peer-port", "0"];
    return runCommand(folder, "serve", "--data", data, "--host", "127.0.0.1", ...ports);
  };

  test("below a file: exit 73, by name", async () => {
    writeFileSync(join(folder, "file"), "");
    const ended = await serve("file/data");
    assert.equal(ended.code, 73, ended.stderr);
    assert.match(ended.stderr, /\/file" is a file where a folder is needed/);
  });

  test("on a disk that cannot be written: exit 74, by name", async (t) => {
    const disk = mountSmallFileSystem(join(folder, "read-only"), 2 ** 20);
    if (disk === undefined) return t.diagnostic("may not mount: no disk can be read-only here");
    t.after(() => disk.remove());
    disk.makeReadOnly();
    const ended = await serve(join(disk.path, "data"));
    assert.equal(ended.code, 74, ended.stderr);
    assert.match(ended.stderr, /read-only\/data": the file system is read-only/);
  });

  test("on a full disk: exit 74, and it says that it is full", async (t) => {
    const disk = mountSmallFileSystem(join(folder, "full"), 32 * 1024);
    if (disk === undefined) return t.diagnostic("may not mount: no disk can be filled here");
    t.after(() => disk.remove());
    const ended = await serve(join(disk.path, "data"));
    assert.equal(ended.code, 74, ended.stderr);
    assert.match(ended.stderr, /full/);
  });
});
