/** What a swarm still gets when the server may send no more for it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ControllerWorld } from "../../test/support/controller-world.ts";

describe("an egress budget that is spent", () => {
  function spent(onBudgetEnd: "serve-floor-only" | "stop" | "ignore"): ControllerWorld {
    const numbers = { egressBudgetBytes: 0, onBudgetEnd };
    const world = new ControllerWorld({ policy: "balanced", pieces: 2, numbers });
    world.join(1);
    return world;
  }

  test("leaves what nobody else has, so that the link never breaks", () => {
    const world = spent("serve-floor-only");
    assert.deepEqual(world.offers(), ["1 0 never-sent", "1 1 never-sent"]);
    world.take(1, 0, 1);
    world.join(2);
    world.pass(5000);
    assert.deepEqual(world.offers(), [], "1 has both");
    world.pass(15_000);
    assert.deepEqual(
      world.offers().map((offer) => offer.slice(4)),
      ["floor", "floor"],
    );
  });

  test("leaves nothing, or changes nothing, where the publisher said so", () => {
    assert.deepEqual(spent("stop").offers(), []);
    assert.deepEqual(spent("ignore").offers(), ["1 0 owed", "1 1 never-sent"]);
  });

  test("that is raised has effect with the next offer", () => {
    const world = spent("stop");
    world.setPolicy("balanced", { egressBudgetBytes: 1 });
    assert.equal(world.controller.policy.egressBudgetBytes, 1);
    world.pass(100);
    assert.deepEqual(world.offers(), ["1 0 owed", "1 1 never-sent"]);
  });
});
