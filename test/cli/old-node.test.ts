/** The installed command under a Node that is too old for it, where this machine has one. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../bin/btpublisher.mjs", import.meta.url));

/** Another Node of this machine than the one that npm brought. */
function oldNode(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const nodes = folders
    .filter((folder) => !folder.includes("node_modules"))
    .map((folder) => join(folder, "node"));
  return nodes.find((node) => existsSync(node) && majorOf(node) < 24);
}

function majorOf(node: string): number {
  const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  return Number(/^v(\d+)/.exec(stdout)?.[1] ?? Number.NaN);
}

const node = oldNode();

if (node !== undefined) {
  test("an old Node is told which one is needed", () => {
    const { status, stderr } = spawnSync(node, [bin, "--help"], { encoding: "utf8" });
    assert.equal(status, 69);
    assert.match(stderr, /btpublisher needs Node >=24\.\d+, and this is v\d+/);
  });
}
