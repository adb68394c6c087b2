import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checksumList, infoHashInList } from "./checksum-list.ts";

const infoHash = "0123456789abcdef0123456789abcdef01234567";
const bytesOf = (text: string) => new TextEncoder().encode(text);

test("sha256sum -c takes the list as it is, names with backslashes too", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "btpublisher-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "c", "# d"), { recursive: true });
  const paths = [["# d", "a.txt"], ["back\\slash"]];
  const files = paths.map((path) => {
    writeFileSync(join(folder, "c", ...path), "hello");
    return { path, sha256: createHash("sha256").update("hello").digest("hex") };
  });
  const list = checksumList({ infoHash, contentName: "c", isDirectory: true, files });

  const check = () =>
    spawnSync("sha256sum", ["-c", "--strict", "-"], { cwd: folder, input: list, encoding: "utf8" });

  const good = check();
  assert.equal(good.status, 0, good.stderr);
  assert.equal(good.stderr, "");
  writeFileSync(join(folder, "c", "back\\slash"), "hellO");
  assert.equal(check().status, 1);
});

test("the info hash is read from the head and nowhere else", () => {
  const list = checksumList({ infoHash, contentName: "a", isDirectory: false, files: [] });
  assert.equal(infoHashInList(bytesOf(list)), infoHash);
  for (const wrong of [
    "",
    list.slice(0, -1),
    list.slice(0, -2),
    ` ${list}`,
    `${"0".repeat(64)}  a\n${list}`,
    list.replace("0123", "012g"),
    list.replace("0123", "01234"),
  ]) {
    assert.equal(infoHashInList(bytesOf(wrong)), undefined, wrong);
  }
});
