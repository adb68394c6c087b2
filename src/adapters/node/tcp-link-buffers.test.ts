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
  const taken = Array.from({ length: 400 }, () => pool.take(MAX_FRAME_LENGTH, FRAMED_BLOCK));
  const lengths = taken.map(({ length }) => length / FRAMED_BLOCK);
  assert.equal(lengths[0], 64);
  assert.equal(lengths.at(-1), 4);
  assert.deepEqual(
    lengths,
    lengths.toSorted((a, b) => b - a),
  );
  const total = lengths.reduce((sum, length) => sum + length, 0);
  assert.ok(total <= (64 + 400 / 16) * 64, `${total} blocks`);
  for (const [i, buffer] of taken.entries()) {
    if (i % 2 === 0) pool.release(buffer);
    else pool.discard(buffer);
  }
  assert.equal(pool.take(MAX_FRAME_LENGTH, FRAMED_BLOCK).length, MAX_FRAME_LENGTH);
});

test("payloads have their views, full blocks always the same ones", () => {
  const buffer = new SendBufferPool().take(4 * FRAMED_BLOCK, 100);
  const second = FRAMED_BLOCK + 13;
  const view = buffer.payloadAt(second, 16_384);
  assert.equal(view, buffer.payloadAt(second, 16_384));
  for (const [at, length] of [
    [second, 16_384],
    [second, 100],
    [second + 100, 16_384],
  ] as const) {
    const { byteOffset, byteLength } = buffer.payloadAt(at, length);
    assert.deepEqual([byteOffset, byteLength], [buffer.bytes.byteOffset + at, length]);
  }
});
