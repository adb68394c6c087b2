/** An upload from a browser that breaks at any place goes on from there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  PART_BYTES,
  Refusal,
  upload,
  type UploadProgress,
  type UploadWorld,
} from "../../src/web/publish/upload.ts";

const signal = new AbortController().signal;

/** A server that keeps bytes, and breaks where it is told. */
function startServer(breaks: readonly number[] = [], files = 1) {
  const held = Array.from({ length: files }, () => 0);
  const waits: number[] = [];
  let calls = 0;
  const world: UploadWorld = {
    offset: async (index) => held[index] as number,
    async append(index, offset, part) {
      assert.equal(offset, held[index]);
      if (breaks.includes(calls++)) {
        // Half of it arrived, and stays.
        held[index] = offset + Math.floor(part.size / 2);
        throw new Error("cut");
      }
      held[index] = offset + part.size;
    },
    wait: async (ms) => void waits.push(ms),
  };
  return { held, waits, world };
}

const blob = (length: number) => new Blob([new Uint8Array(length)]);

test("every file is sent in parts", async () => {
  const { held, world } = startServer([], 3);
  const files = [blob(PART_BYTES + 5), blob(0), blob(7)];
  const isWhole = await upload({ files, receivedBytes: [0, 0, 0] }, world, {
    signal,
    tell: () => undefined,
  });
  assert.equal(isWhole, true);
  assert.deepEqual(held, [PART_BYTES + 5, 0, 7]);
});

test("UPL-02 a cut connection goes on from what arrived, each try later than the last", async () => {
  const { held, waits, world } = startServer([0, 1, 2]);
  const told: UploadProgress[] = [];
  const isWhole = await upload({ files: [blob(1000)], receivedBytes: [0] }, world, {
    signal,
    tell: (progress) => void told.push(progress),
  });
  assert.equal(isWhole, true);
  assert.deepEqual(held, [1000]);
  assert.deepEqual(waits, [1000, 2000, 4000]);
  assert.equal(told.filter(({ trouble }) => trouble === "cut").length, 3);
  assert.equal(told.at(-1)?.sentBytes, 1000);
});

test("an upload that was begun before goes on from there", async () => {
  const { held, world } = startServer();
  held[0] = 400;
  const sizes: number[] = [];
  const counting: UploadWorld = {
    ...world,
    async append(index, offset, part, how) {
      sizes.push(part.size);
      await world.append(index, offset, part, how);
    },
  };
  await upload({ files: [blob(1000)], receivedBytes: [400] }, counting, {
    signal,
    tell: () => undefined,
  });
  assert.deepEqual(sizes, [600]);
});

test("a refusal ends it", async () => {
  const { world } = startServer();
  const refusing: UploadWorld = {
    ...world,
    append: () => Promise.reject(new Refusal("the disk is full")),
  };
  const run = upload({ files: [blob(10)], receivedBytes: [0] }, refusing, {
    signal,
    tell: () => undefined,
  });
  await assert.rejects(run, /the disk is full/);
});

test("a pause ends it without an error", async () => {
  const pause = new AbortController();
  const { world } = startServer();
  const pausing: UploadWorld = {
    ...world,
    async append() {
      pause.abort();
      throw new Error("aborted");
    },
  };
  const isWhole = await upload({ files: [blob(10)], receivedBytes: [0] }, pausing, {
    signal: pause.signal,
    tell: () => undefined,
  });
  assert.equal(isWhole, false);
});
