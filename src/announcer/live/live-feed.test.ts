import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { VirtualClock } from "../../adapters/memory/virtual-clock.ts";
import { BtPublisherError } from "../../base/errors.ts";
import { LiveFeed, type LiveReader } from "./live-feed.ts";

/** Numbers that a test says one by one, to one listener. */
class Numbers {
  opened = 0;
  closed = 0;
  #next = Promise.withResolvers<number>();

  async *states(): AsyncIterable<number> {
    this.opened++;
    try {
      for (;;) {
        const value = await this.#next.promise;
        this.#next = Promise.withResolvers();
        yield value;
      }
    } finally {
      this.closed++;
    }
  }

  async say(value: number): Promise<void> {
    this.#next.resolve(value);
    await turn();
  }

  async fail(error: Error): Promise<void> {
    this.#next.reject(error);
    await turn();
    this.#next = Promise.withResolvers();
  }
}

class Reader implements LiveReader {
  isReady = true;
  readonly heard: string[] = [];

  send(event: string, text: string): void {
    this.heard.push(`${event} ${text}`);
  }

  end(reason: string): void {
    this.heard.push(`end ${reason}`);
  }
}

function open() {
  const numbers = new Numbers();
  let differences = 0;
  let idle = 0;
  const clock = new VirtualClock();
  const feed = new LiveFeed<number, number>(
    {
      states: () => numbers.states(),
      deltaOf: (before, after) => {
        differences++;
        return before === after ? undefined : after - before;
      },
    },
    clock,
    () => void idle++,
  );
  return { numbers, feed, clock, counts: () => ({ differences, idle }) };
}

test("a reader hears a snapshot, then what changed, and nothing when nothing did", async () => {
  const { numbers, feed } = open();
  const reader = new Reader();
  feed.add(reader);
  await numbers.say(1);
  await numbers.say(3);
  await numbers.say(3);
  await numbers.say(7);
  assert.deepEqual(reader.heard, ["snapshot 1", "delta 2", "delta 4"]);
});

test("all readers share one measurement; a late one hears the state that is", async () => {
  const { numbers, feed, counts } = open();
  const [one, other] = [new Reader(), new Reader()];
  feed.add(one);
  await numbers.say(1);
  feed.add(other);
  assert.deepEqual(other.heard, ["snapshot 1"]);
  await numbers.say(2);
  assert.deepEqual([one.heard.at(-1), other.heard.at(-1)], ["delta 1", "delta 1"]);
  assert.deepEqual([numbers.opened, counts().differences], [1, 1]);
});

test("A16 a slow reader gets the newest state when it reads again, and no queue", async () => {
  const { numbers, feed } = open();
  const reader = new Reader();
  feed.add(reader);
  await numbers.say(1);
  reader.isReady = false;
  for (let i = 2; i < 100; i++) await numbers.say(i);
  assert.equal(reader.heard.length, 1);
  reader.isReady = true;
  await numbers.say(99);
  assert.deepEqual(reader.heard, ["snapshot 1", "snapshot 99"]);
});

test("nothing is measured when nobody watches any more", async () => {
  const { numbers, feed, counts } = open();
  const reader = new Reader();
  feed.add(reader);
  await numbers.say(1);
  feed.remove(reader);
  assert.equal(counts().idle, 1);
  await numbers.say(2);
  assert.deepEqual([numbers.closed, reader.heard.length], [1, 1]);
});

test("a source that is away is asked again; one that is gone ends the stream", async () => {
  const { numbers, feed, clock } = open();
  const reader = new Reader();
  feed.add(reader);
  await numbers.fail(new BtPublisherError("UNAVAILABLE", "away"));
  assert.equal(numbers.opened, 1);
  await clock.run({ until: 2000 });
  await turn();
  assert.equal(numbers.opened, 2);
  await numbers.say(5);
  await numbers.fail(new BtPublisherError("NOT_FOUND", "gone"));
  assert.deepEqual(reader.heard, ["snapshot 5", "end not-found"]);
});
