/** Who is choked although there is room: the peers suffice, and it was shown much. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ControllerWorld } from "../../test/support/controller-world.ts";

/** Everything is out, at two peers; the second lacks one piece that it was shown. */
function aSufficientSwarm(): ControllerWorld {
  const world = new ControllerWorld({ policy: "thrifty", pieces: 4, uplink: 100_000 });
  world.join(1);
  world.takeAll([1]);
  world.join(2);
  world.shows();
  world.have(2, 0, 1, 2, 3);
  world.join(3);
  world.take(3, 0);
  world.have(3, 1, 2);
  return world;
}

test("who is owed nothing rests while the peers suffice", () => {
  const world = aSufficientSwarm();
  world.pass(100);
  assert.deepEqual([...world.controller.takeRests()], [[3, true]]);
  assert.equal(world.controller.takeRests().size, 0, "it is said once");
});

test("it may ask again as soon as a copy is lost", () => {
  const world = aSufficientSwarm();
  world.pass(100);
  world.controller.takeRests();
  world.leave(1);
  world.leave(2);
  world.pass(3200);
  assert.deepEqual([...world.controller.takeRests()], [[3, false]]);
});

test("nobody rests who has nobody else to ask, or under a policy that helps all the time", () => {
  const alone = new ControllerWorld({ policy: "thrifty", pieces: 4, uplink: 100_000 });
  alone.join(1);
  alone.take(1, 0);
  alone.pass(1000);
  assert.equal(alone.controller.takeRests().size, 0);

  const fast = aSufficientSwarm();
  fast.setPolicy("fast");
  fast.pass(1000);
  assert.equal(fast.controller.takeRests().size, 0);
});

test("nobody rests while peers give each other next to nothing", () => {
  const world = new ControllerWorld({ policy: "thrifty", pieces: 128, uplink: 100_000 });
  for (const key of [1, 2, 3]) world.join(key);
  const offered = new Set(world.shows().map(({ piece }) => piece));
  const pieces = Array.from({ length: 128 }, (_, piece) => piece);
  const last = pieces.filter((piece) => !offered.has(piece)).slice(-40);
  // All is out, and what the third gets is ours.
  for (const key of [1, 2]) world.take(key, ...pieces);
  for (const piece of pieces) {
    if (last.includes(piece)) continue;
    world.take(3, piece);
    world.pass(50);
  }
  assert.equal(world.controller.takeRests().get(3), false);

  // Then the others are seeds, give what is left, and suffice.
  for (const piece of last.slice(1)) {
    world.have(3, piece);
    world.pass(100);
  }
  assert.equal(world.controller.takeRests().get(3), true);
});
