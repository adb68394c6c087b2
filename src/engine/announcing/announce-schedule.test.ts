import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRandom } from "../../base/random.ts";
import { AnnounceSchedule } from "./announce-schedule.ts";

const answer = { intervalMs: 100_000, minIntervalMs: undefined };

function aSchedule(tiers: string[][]): AnnounceSchedule {
  return new AnnounceSchedule(tiers, createRandom(3));
}

describe("AnnounceSchedule", () => {
  test("announces started, then at the tracker's interval, then completed and stopped", () => {
    const schedule = aSchedule([["a"]]);
    schedule.start();
    assert.deepEqual(schedule.takeOutputs(), [{ url: "a", event: "started" }]);

    schedule.handleAnswer(0, "a", answer);
    const next = schedule.nextTimeout(false) as number;
    assert.ok(next >= 90_000 && next <= 100_000);
    schedule.handleTimeout(next, false);
    assert.deepEqual(schedule.takeOutputs(), [{ url: "a", event: undefined }]);

    schedule.handleAnswer(next, "a", answer);
    schedule.complete();
    assert.deepEqual(schedule.takeOutputs(), [{ url: "a", event: "completed" }]);
    schedule.stop();
    assert.deepEqual(schedule.takeOutputs(), [{ url: "a", event: "stopped" }]);
    assert.equal(schedule.nextTimeout(true), undefined);
  });

  test("tries the next tracker, and keeps the one that answered in front of its tier", () => {
    const schedule = aSchedule([["a", "b"], ["c"]]);
    schedule.start();
    const first = schedule.takeOutputs()[0]?.url as string;
    schedule.handleFailure(0);
    const second = schedule.takeOutputs()[0]?.url as string;
    assert.deepEqual([first, second].toSorted(), ["a", "b"]);

    schedule.handleAnswer(0, second, answer);
    schedule.complete();
    assert.deepEqual(schedule.takeOutputs(), [{ url: second, event: "completed" }]);
  });

  test("says goodbye to the tracker that knows it, not to one that never answered", () => {
    const schedule = aSchedule([["dead"], ["alive"]]);
    schedule.start();
    schedule.handleFailure(0);
    schedule.handleAnswer(0, "alive", answer);
    schedule.takeOutputs();
    schedule.stop();
    assert.deepEqual(schedule.takeOutputs(), [{ url: "alive", event: "stopped" }]);
  });

  test("backs off when no tracker answers, and says started until one did", () => {
    const schedule = aSchedule([["a"]]);
    schedule.start();
    let now = 0;
    const delays: number[] = [];
    for (let i = 0; i < 6; i++) {
      assert.deepEqual(schedule.takeOutputs(), [{ url: "a", event: "started" }]);
      schedule.handleFailure(now);
      const next = schedule.nextTimeout(true) as number;
      delays.push(next - now);
      now = next;
      schedule.handleTimeout(now, true);
    }
    assert.deepEqual(
      delays,
      delays.toSorted((a, b) => a - b),
    );
    assert.ok((delays[0] as number) >= 3750 && (delays[5] as number) >= 100_000);
  });

  test("asks sooner while it knows nobody, but not below the tracker's minimum", () => {
    const schedule = aSchedule([["a"]]);
    schedule.start();
    schedule.handleAnswer(0, "a", answer);
    assert.equal(schedule.nextTimeout(true), 60_000);

    const lenient = aSchedule([["a"]]);
    lenient.start();
    lenient.handleAnswer(0, "a", { intervalMs: 100_000, minIntervalMs: 30_000 });
    assert.equal(lenient.nextTimeout(true), 30_000);

    const strict = aSchedule([["a"]]);
    strict.start();
    strict.handleAnswer(0, "a", { intervalMs: 100_000, minIntervalMs: 80_000 });
    assert.equal(strict.nextTimeout(true), 80_000);
  });

  test("completes while an announce is under way: the event is not lost", () => {
    const schedule = aSchedule([["a"]]);
    schedule.start();
    schedule.handleAnswer(0, "a", answer);
    schedule.handleTimeout(100_000, false);
    schedule.takeOutputs();
    schedule.complete();
    assert.deepEqual(schedule.takeOutputs(), []);
    assert.ok(schedule.isTellingCompletion);
    schedule.handleAnswer(100_100, "a", answer);
    assert.deepEqual(schedule.takeOutputs(), [{ url: "a", event: "completed" }]);
    assert.ok(schedule.isTellingCompletion);
    schedule.handleAnswer(100_200, "a", answer);
    assert.ok(!schedule.isTellingCompletion);
  });

  test("completes before the first tracker answered: completed follows started", () => {
    const schedule = aSchedule([["a"]]);
    schedule.start();
    assert.deepEqual(schedule.takeOutputs(), [{ url: "a", event: "started" }]);
    schedule.complete();
    schedule.handleAnswer(10, "a", answer);
    assert.deepEqual(schedule.takeOutputs(), [{ url: "a", event: "completed" }]);
  });

  test("without trackers it never announces", () => {
    const schedule = aSchedule([]);
    schedule.start();
    schedule.stop();
    assert.deepEqual(schedule.takeOutputs(), []);
  });
});
