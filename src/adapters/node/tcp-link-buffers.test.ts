import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_FRAME_LENGTH, SendBufferPool } from "./tcp-link-buffers.ts";

const FRAMED_BLOCK = 16_397;

test("a buffer is as long as asked for, or a little longer", () => {
  const pool = new SendBufferPool();
  for (const [length, expected] of [
    [100, 4],
    [4 * FRAMED_BLOCK, 4],
    [4 * FRAMED_BLOCK + 1, 16],
    [13 + 131_072, 16],
    [64 * FRAMED_BLOCK, 64],
  ] as const) {
    assert.equal(pool.take(length, 100).length, expected * FRAMED_BLOCK);
  }
});

test("a released buffer is given out again, a discarded one never", () => {
  const pool = new SendBufferPool();
  const released = pool.take(100, 100);
  const discarded = pool.take(100, 100);

  pool.release(released);
  pool.discard(discarded);

  assert.equal(pool.take(100, 100), released);
  assert.notEqual(pool.take(100, 100), discarded);
});

test("when much is in use, buffers are small, so that nobody waits", () => {
  const pool = new SendBufferPool();
  const large = Array.from({ length: 128 }, () => pool.take(MAX_FRAME_LENGTH, FRAMED_BLOCK));
  assert.ok(large.every(({ length }) => length === MAX_FRAME_LENGTH));

  assert.equal(pool.take(MAX_FRAME_LENGTH, FRAMED_BLOCK).length, 4 * FRAMED_BLOCK);
  for (const [i, buffer] of large.entries()) {
    if (i % 2 === 0) pool.release(buffer);
    else pool.discard(buffer);
  }

  assert.equal(pool.take(MAX_FRAME_LENGTH, FRAMED_BLOCK).length, MAX_FRAME_LENGTH);
});
