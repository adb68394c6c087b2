/** The rate limit in virtual time: exact over any stretch, whoever shares it, and nothing when off. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { TokenBucket } from "./token-bucket.ts";
import { BLOCK_LENGTH } from "./units.ts";

const RATE = 1_000_000;
const BURST = 50_000;

/**
 * A door as all of ours are: it goes on when it finds any room, by a block at least and `most` at
 * most, and else comes back when there is room for a block.
 */
function aDoor(limit: TokenBucket, most: number) {
  const door = {
    sentBytes: 0,
    nextAt: 0,
    run(now: number): void {
      for (;;) {
        const available = limit.available(now);
        if (available <= 0) break;
        const bytes = Math.min(most, Math.max(BLOCK_LENGTH, Math.floor(available)));
        limit.take(now, bytes);
        door.sentBytes += bytes;
      }
      // Timers of Node count whole milliseconds.
      door.nextAt = Math.max(now + 1, Math.floor(limit.readyAt(now, BLOCK_LENGTH)));
    },
  };
  return door;
}

/** Runs doors side by side until `endMs`; `check` sees every moment at which one sent. */
function runDoors(
  doors: readonly ReturnType<typeof aDoor>[],
  endMs: number,
  check: (now: number) => void = () => {},
): void {
  for (;;) {
    const next = doors.reduce((first, door) => (door.nextAt < first.nextAt ? door : first));
    if (next.nextAt > endMs) return;
    const now = next.nextAt;
    next.run(now);
    check(now);
  }
}

describe("a rate limit", () => {
  test("gives exactly its rate over any time, beyond one burst and one overdraft", () => {
    fc.assert(
      fc.property(fc.integer({ min: BLOCK_LENGTH, max: 1_000_000 }), (most) => {
        const door = aDoor(new TokenBucket(RATE, BURST), most);
        runDoors([door], 20_000, (now) => {
          const due = (RATE * now) / 1000;
          const ahead = door.sentBytes - due;
          assert.ok(ahead <= BURST + BLOCK_LENGTH, `${ahead} bytes ahead at ${now} ms`);
          assert.ok(ahead >= -BLOCK_LENGTH, `${-ahead} bytes behind at ${now} ms`);
        });
      }),
      { numRuns: 30 },
    );
  });

  test("is one for all doors, whatever sizes they send", () => {
    const limit = new TokenBucket(RATE, BURST);
    const doors = [aDoor(limit, BLOCK_LENGTH), aDoor(limit, 256 * 1024), aDoor(limit, 1_048_576)];

    runDoors(doors, 60_000);

    const sentBytes = doors.reduce((sum, door) => sum + door.sentBytes, 0);
    assert.ok(Math.abs(sentBytes - 60 * RATE) <= BURST + BLOCK_LENGTH, `${sentBytes} bytes`);
  });

  test("does not save up for later, and pays its debts first", () => {
    const limit = new TokenBucket(RATE, BURST);
    limit.take(0, BURST);
    assert.equal(limit.available(1_000_000), BURST);
    limit.take(1_000_000, BURST + 10_000);
    assert.equal(limit.readyAt(1_000_000, 1), 1_000_010.001);
    limit.giveBack(10_001);
    assert.equal(limit.readyAt(1_000_000, 1), 1_000_000);
  });

  test("changes at once", () => {
    const limit = new TokenBucket(RATE, BURST);
    limit.setRate(2 * RATE);
    limit.take(0, BURST);
    assert.equal(limit.readyAt(0, BURST), (BURST * 1000) / (2 * RATE));
    limit.setRate(undefined);
    assert.equal(limit.available(0), Number.POSITIVE_INFINITY);
  });

  test("that is none counts nothing and never waits", () => {
    const limit = new TokenBucket(undefined);
    limit.take(0, 1e15);
    assert.equal(limit.available(0), Number.POSITIVE_INFINITY);
    assert.equal(limit.readyAt(5, 1e15), 5);
  });
});
