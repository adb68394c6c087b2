import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom } from "./random.ts";
import { createRingMemory, SharedRing } from "./shared-ring.ts";

function openRing(capacity: number) {
  const memory = createRingMemory(capacity);
  return { writer: new SharedRing(memory), reader: new SharedRing(memory) };
}

const NO_PREFIX = new Uint8Array(0);

/** The next record, undefined when there is none. */
function next(reader: SharedRing): { tag: number; bytes: number[] } | undefined {
  const length = reader.nextLength();
  if (length < 0) return undefined;
  const target = new Uint8Array(length);
  const tag = reader.read(target);
  return { tag, bytes: [...target] };
}

test("a record comes out as it went in: tag, prefix with its room, body", () => {
  const { writer, reader } = openRing(64);
  assert.equal(next(reader), undefined);
  assert.ok(writer.write(-7, Uint8Array.of(1, 2), 4, Uint8Array.of(9, 8, 7)));
  assert.deepEqual(next(reader), { tag: -7, bytes: [1, 2, 0, 0, 9, 8, 7] });
  assert.equal(next(reader), undefined);
});

test("what does not fit is refused, and fits once something was read", () => {
  const { writer, reader } = openRing(64);
  const body = new Uint8Array(24);
  assert.ok(writer.write(1, NO_PREFIX, 0, body));
  assert.ok(writer.write(2, NO_PREFIX, 0, body));
  assert.equal(writer.write(3, NO_PREFIX, 0, body), false);
  assert.equal(next(reader)?.tag, 1);
  assert.ok(writer.write(4, NO_PREFIX, 0, body));
  assert.deepEqual([next(reader)?.tag, next(reader)?.tag, next(reader)], [2, 4, undefined]);
});

test("any records, in any turns, come out in order", () => {
  const random = createRandom(5);
  const { writer, reader } = openRing(1024);
  const inside: { tag: number; bytes: number[] }[] = [];
  let refused = 0;
  for (let tag = 0; tag < 20_000; tag++) {
    if (random.below(2) === 0) assert.deepEqual(next(reader), inside.shift());
    else {
      const bytes = Uint8Array.from({ length: random.below(400) }, () => random.below(256));
      if (writer.write(tag, NO_PREFIX, 0, bytes)) inside.push({ tag, bytes: [...bytes] });
      else refused++;
    }
  }
  assert.ok(refused > 0);
});

test("a reader that sleeps is told of once; it does not fall asleep over what came meanwhile", () => {
  const { writer, reader } = openRing(64);
  assert.equal(writer.takeSleep(), false);
  assert.ok(reader.sleep());
  assert.deepEqual([writer.takeSleep(), writer.takeSleep()], [true, false]);
  writer.write(1, NO_PREFIX, 0, NO_PREFIX);
  assert.equal(reader.sleep(), false);
  assert.equal(writer.takeSleep(), false);
  assert.equal(next(reader)?.tag, 1);
  assert.ok(reader.sleep());
});
