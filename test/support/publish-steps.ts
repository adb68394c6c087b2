/**
 * Everything that changes what a SourceNode keeps, one after the other, so that it can be killed at
 * any step and run again: upload and publish, publish a local path, unpublish.
 *
 * As a program (`publish-steps.ts DATA STEP`) it kills itself before file step number STEP, and
 * tells on its output what it had been promised until then.
 */
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MemoryPieceStore } from "../../src/adapters/memory/memory-piece-store.ts";
import { sha1 } from "../../src/adapters/node/disk-hash.ts";
import { unwrap } from "../../src/base/errors.ts";
import { createRandom, randomBytes } from "../../src/base/random.ts";
import type { ContentInspector } from "../../src/ports/content-inspector.ts";
import type { ContentPlan, ContentService } from "../../src/ports/content-service.ts";
import { encodeInfo } from "../../src/protocol/metainfo/create.ts";
import { parseInfo } from "../../src/protocol/metainfo/parse.ts";
import type { SourceNodeDependencies } from "../../src/source-node/source-node.ts";
import { watchFileSteps } from "./fs-steps.ts";
import { bodyOf, sourceAdapters, startSource } from "./source-world.ts";
import { defaultPolicy } from "../../src/ports/publication-policy.ts";

/** What was acknowledged, in this order. */
export type Promised = "copy published" | "local published" | "copy unpublished";

/** The files of the upload. */
export const copyFiles = [30_000, 0, 5].map((length, i) => ({
  path: ["sub", `file-${i}`],
  bytes: randomBytes(length, createRandom(i + 1)),
}));

/** The file that is published where it lies, below the data folder. */
export const localBytes = randomBytes(20_000, createRandom(9));

const options = { pieceLength: 16 * 1024, isPrivate: false, policy: defaultPolicy };
const plan: ContentPlan = {
  name: "copy",
  contentName: "Copy",
  isDirectory: true,
  files: copyFiles.map(({ path, bytes }) => ({ path, length: bytes.length })),
};

/** Path of the local file. */
export function localPath(data: string): string {
  return join(data, "mine", "local.bin");
}

/** Makes the data folder as an operator has it before the first start. */
export async function prepareData(data: string): Promise<void> {
  await mkdir(join(data, "mine"), { recursive: true });
  await writeFile(localPath(data), localBytes);
}

/** Does what has not been done yet, to the end. */
export async function runSteps(
  service: ContentService,
  data: string,
  promise: (promised: Promised) => void,
): Promise<void> {
  const names = (await service.list()).map((content) => content.name);
  if (!names.includes("copy") && !names.includes("local")) await uploadCopy(service);
  if (!names.includes("local")) {
    promise("copy published");
    await service.publishLocal({ name: "local", path: localPath(data) }, options);
  }
  promise("local published");
  await service.unpublish("copy");
  promise("copy unpublished");
}

async function uploadCopy(service: ContentService): Promise<void> {
  const { receivedBytes } = await service.beginUpload(plan);
  for (const [fileIndex, { bytes }] of copyFiles.entries()) {
    const offset = receivedBytes[fileIndex] ?? 0;
    if (offset < bytes.length) {
      await service.appendFile("copy", { fileIndex, offset }, bodyOf(bytes.subarray(offset)));
    }
  }
  await service.publishUpload("copy", options);
}

/** Parts that need no threads: a process that starts sixty times should start fast. */
export function threadless(data: string): Pick<SourceNodeDependencies, "inspector" | "openStore"> {
  const { inspector } = sourceAdapters(data);
  const inline: ContentInspector = {
    scan: (path) => inspector.scan(path),
    stamps: (tree) => inspector.stamps(tree),
    hash: async (tree, { isPrivate, pieceLength = 16 * 1024 }) => {
      const { path: root, contentName: name, isDirectory, files } = tree;
      const contents = await Promise.all(
        files.map(({ path }) => readFile(isDirectory ? join(root, ...path) : root)),
      );
      const whole = Buffer.concat(contents);
      const pieces: Uint8Array[] = [];
      for (let i = 0; i < whole.length; i += pieceLength) {
        pieces.push(sha1(whole.subarray(i, i + pieceLength)));
      }
      const pieceHashes = Buffer.concat(pieces);
      const raw = encodeInfo({ name, isDirectory, files, pieceLength, pieceHashes, isPrivate });
      const sha256 = contents.map((bytes) => createHash("sha256").update(bytes).digest("hex"));
      return { info: unwrap(parseInfo(raw, { sha1 })), sha256 };
    },
  };
  return {
    inspector: inline,
    openStore: (_, info) => Promise.resolve(new MemoryPieceStore(info, { sha1 })),
  };
}

async function main([data = "", step = ""]: readonly string[]): Promise<void> {
  let steps = 0;
  await watchFileSteps(() => {
    if (++steps === Number(step)) process.kill(process.pid, "SIGKILL");
  });
  const { source } = await startSource({ data }, threadless(data));
  await runSteps(source, data, (promised) => writeSync(1, `${promised}\n`));
  await source.close();
}

if (import.meta.main) await main(process.argv.slice(2));
