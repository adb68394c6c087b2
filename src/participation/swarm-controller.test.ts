/** The rules of the controller one by one; whole swarms are in test/simulation. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ControllerWorld, PIECE } from "../../test/support/controller-world.ts";
import { decideState } from "./state.ts";

/** Offers to `key` that it may still take. */
function openOffers({ controller }: ControllerWorld, key: number): number | undefined {
  return controller.evidence.peers.get(key)?.grants.size;
}

/** Keeps `key` from starving: it waits for a piece. */
function keepBusy(world: ControllerWorld, key: number, piece: number): void {
  world.request(key, piece);
}

describe("owed", () => {
  test("a newcomer is offered a piece at once, before its bitfield is known", () => {
    const world = new ControllerWorld({ policy: "balanced" });
    world.join(1);
    assert.deepEqual(world.offers(), ["1 0 owed", "1 1 never-sent"]);
    assert.equal(world.controller.isShown(1, 0), true);
    assert.equal(world.controller.isShown(1, 2), false);
    assert.equal(world.controller.isShown(2, 0), false);
  });

  test("what turns out to be there already is offered to somebody else", () => {
    const world = new ControllerWorld();
    world.join(1, { have: [0, 1] });
    assert.deepEqual(world.offers(), ["1 0 owed", "1 1 never-sent", "1 2 owed", "1 3 never-sent"]);
    world.join(2);
    world.pass(1100);
    assert.deepEqual(world.offers().slice(0, 1), ["2 0 owed"]);
  });

  test("whoever got less than its direct share comes first, and the one who got least", () => {
    const world = new ControllerWorld({ policy: "balanced", pieces: 100, uplink: PIECE });
    for (const key of [1, 2, 3]) world.join(key);
    assert.deepEqual(world.offers(), ["1 0 owed", "1 1 never-sent"]);
    world.have(1, 90, 91, 92);
    world.have(3, 93);
    world.take(1, 0);
    assert.deepEqual(world.offers(), ["2 2 owed"]);
  });

  test("nothing is owed for the time in which nobody was there", () => {
    const world = new ControllerWorld({ policy: "balanced", pieces: 100, uplink: 2 * PIECE });
    world.pass(60_000);
    world.join(1);
    world.pass(100);
    const { owedBytes } = world.controller.summary(world.now);
    assert.ok(owedBytes < 2 * PIECE, `${owedBytes} bytes`);
  });

  test("nothing is owed for the ten seconds in which transmission does not ask yet", () => {
    const world = new ControllerWorld({ policy: "balanced", pieces: 100, uplink: 4 * PIECE });
    world.join(1);
    world.pass(10_000);
    const owed = world.controller.evidence.peers.get(1)?.owedBytes ?? Number.NaN;
    assert.ok(owed < 6 * PIECE, `${owed} bytes`);
  });

  test("thrifty promises nothing beyond the first piece", () => {
    const world = new ControllerWorld({ pieces: 2 });
    world.join(1);
    world.join(2);
    world.takeAll([1]);
    keepBusy(world, 2, 0);
    world.pass(1400);
    assert.deepEqual(world.offers(), []);
    assert.equal(world.controller.summary(world.now).owedBytes, 0);
  });
});

describe("never sent", () => {
  test("each piece goes out once before any goes twice", () => {
    const world = new ControllerWorld({ uplink: 100 * PIECE });
    world.join(1);
    world.takeAll([1]);
    assert.equal(world.controller.meter.figures(world.now)?.sentBytes, 8 * PIECE);
    world.join(2);
    assert.deepEqual(world.offers(), ["2 0 owed"], "a newcomer starts at once");
  });

  test("a piece goes to the peer that others will have it from soonest", () => {
    const world = new ControllerWorld({ pieces: 100 });
    world.join(1);
    world.join(2);
    world.shows();
    world.take(1, 0);
    assert.deepEqual(world.offers(), ["2 2 owed"], "it is new");
    world.take(1, 1);
    assert.deepEqual(world.offers(), ["2 3 never-sent"], "1 sits on two pieces");
    world.have(2, 0, 1);
    world.take(2, 2);
    assert.deepEqual(world.offers(), ["1 4 never-sent"], "which were seen at 2 since");
  });

  for (const { waitMs, title } of [
    { waitMs: 3000, title: "who is ahead of others gets no more than it passes on" },
    { waitMs: 1000, title: "nobody is ahead of others who came at once" },
  ]) {
    test(title, () => {
      const world = new ControllerWorld({ pieces: 60 });
      world.join(1);
      for (let piece = 0; piece < 20; piece++) world.take(1, piece);
      world.now += waitMs;
      world.join(2);
      for (let piece = 20; piece < 30; piece++) world.take(2, piece);
      world.have(1, 20, 21, 22, 23);
      world.shows();

      // 2 does not ask any more.
      world.pass(10_000);
      const shows = world.shows().filter(({ reason }) => reason === "never-sent");
      const shownTo = shows.map(({ peer }) => peer);
      assert.equal(shownTo.includes(1), waitMs < 2000, `to ${shownTo.join()}`);
    });
  }

  test("what peers brought from elsewhere need not go out", () => {
    const world = new ControllerWorld({ pieces: 4 });
    world.join(1);
    world.have(1, 2, 3);
    world.takeAll([1]);
    assert.equal(world.controller.meter.figures(world.now)?.sentBytes, 2 * PIECE);
  });
});

describe("offers that are not taken", () => {
  test("are over after a second without a request, and somebody else's", () => {
    const world = new ControllerWorld({ pieces: 2 });
    world.join(1);
    assert.deepEqual(world.offers(), ["1 0 owed", "1 1 never-sent"]);
    world.pass(1000);
    assert.equal(openOffers(world, 1), 2);
    world.pass(100);
    assert.equal(openOffers(world, 1), 0);
    world.join(2);
    assert.deepEqual(world.offers(), ["2 0 owed", "2 1 never-sent"]);
  });

  test("stay with a peer that waits for others of ours", () => {
    const world = new ControllerWorld({ pieces: 2 });
    world.join(1);
    world.request(1, 0);
    world.pass(5000);
    assert.equal(openOffers(world, 1), 2);
    world.pass(100);
    assert.equal(openOffers(world, 1), 0, "it does not take what it asked for");
  });

  test("may be taken late all the same: shown is shown", () => {
    const world = new ControllerWorld({ pieces: 2 });
    world.join(1);
    world.join(2);
    world.pass(1200);
    world.shows();
    assert.equal(world.controller.isShown(1, 0), true);
    world.take(1, 0);
    assert.equal(world.controller.evidence.peers.get(1)?.unseen.has(0), true);
  });

  test("of a peer that left go to the next one", () => {
    const world = new ControllerWorld({ pieces: 2 });
    world.join(1);
    world.join(2);
    world.shows();
    world.leave(1);
    assert.deepEqual(world.offers(), ["2 0 owed", "2 1 never-sent"]);
  });

  test("that were sent and are not seen there after 10 s are void", () => {
    const world = new ControllerWorld({ pieces: 1 });
    world.join(1);
    world.request(1, 0);
    world.send(1, 0);
    world.pass(10_000);
    assert.equal(openOffers(world, 1), 1);
    world.pass(100);
    assert.equal(openOffers(world, 1), 0);
  });

  test("are over when the peer asked for a part and goes on with nothing", () => {
    const world = new ControllerWorld({ pieces: 2 });
    world.join(1);
    world.request(1, 0, 1);
    world.send(1, 0, PIECE / 2);
    world.send(1, 1, PIECE / 2);
    world.pass(3000);
    assert.equal(openOffers(world, 1), 2);
    world.pass(100);
    assert.equal(openOffers(world, 1), 0);
  });

  test("never take the uplink away from others, whatever one peer does", () => {
    const world = new ControllerWorld({ policy: "balanced", pieces: 400, uplink: 20 * PIECE });
    world.join(1);
    world.join(2);
    let taken = 0;
    world.pass(20_000, () => {
      for (const { peer, piece } of world.shows()) {
        // 1 asks for a little of everything and finishes nothing, 2 takes what it is offered.
        if (peer === 1) {
          world.request(1, piece);
          world.send(1, piece, 1);
        } else {
          world.take(2, piece);
          taken++;
        }
      }
    });
    // Half of the uplink is 2's own share.
    assert.ok(taken >= 0.9 * 10 * 20, `${taken} pieces`);
  });
});

describe("floor", () => {
  /** 1 has both pieces and passed them on, but to one who left; 2 is busy; nobody starves. */
  function aThinSwarm(floor: number): ControllerWorld {
    const world = new ControllerWorld({ pieces: 2, numbers: { floor } });
    world.join(1);
    world.takeAll([1]);
    world.join(3);
    world.have(3, 0, 1);
    world.leave(3);
    world.join(2);
    world.shows();
    keepBusy(world, 2, 0);
    return world;
  }

  test("a piece with too few copies is sent again after 16 s", () => {
    const world = aThinSwarm(2);
    // Who left is gone after 3 s.
    const busy = (): void => keepBusy(world, 2, 0);
    world.pass(18_900, busy);
    assert.deepEqual(world.offers(), []);
    world.pass(300, busy);
    assert.deepEqual(world.offers(), ["2 1 floor"]);
  });

  test("one copy is enough where the policy says so", () => {
    const world = aThinSwarm(1);
    world.pass(40_000);
    assert.deepEqual(
      world.offers().filter((offer) => offer.endsWith("floor")),
      [],
    );
  });

  test("a floor above the number of peers is that number", () => {
    const world = aThinSwarm(5);
    world.pass(3200);
    assert.equal(world.controller.summary(world.now).floor, 2);
    world.have(2, 0, 1);
    const summary = world.controller.summary(world.now);
    assert.deepEqual([summary.copies, summary.pieceBelowFloor], [2, undefined]);
  });

  test("a piece whose only holder left is sent again at once", () => {
    const world = aThinSwarm(1);
    world.leave(1);
    world.pass(3200);
    assert.match(world.offers().join(), /^2 1 never-sent/);
  });
});

test("again: what waits long at one holder goes to another that would pass it on sooner", () => {
  const world = new ControllerWorld({ pieces: 2 });
  world.join(1);
  world.takeAll([1]);
  world.join(2);
  assert.deepEqual(world.offers(), ["2 0 owed"]);
  keepBusy(world, 2, 0);
  const busy = (): void => keepBusy(world, 2, 0);
  // The second of two, at one piece in (its time since the first + 0.5 s).
  world.pass(1400, busy);
  assert.deepEqual(world.offers(), []);
  world.pass(300, busy);
  assert.deepEqual(world.offers(), ["2 1 again"]);
});

describe("starving", () => {
  test("who gains nothing for 2 s gets the rarest piece that it lacks", () => {
    const world = new ControllerWorld({ pieces: 3 });
    world.join(1);
    world.takeAll([1]);
    world.join(2);
    world.takeAll([2]);
    world.join(3);
    keepBusy(world, 3, 0);
    world.have(3, 1);
    world.shows();
    world.pass(1900);
    assert.equal(
      world.shows().some(({ peer }) => peer === 2),
      false,
    );
    world.pass(300);
    assert.deepEqual(world.offers(), ["2 2 starving"]);
  });

  test("who was sent the whole content and says that it lacks it is in need no more", () => {
    const world = new ControllerWorld({ policy: "balanced", pieces: 20, uplink: 100 * PIECE });
    world.join(1);
    world.join(2);
    let sent = 0;
    world.pass(300_000, () => {
      for (const { peer, piece } of world.shows()) {
        if (peer !== 1) continue;
        world.request(1, piece);
        world.send(1, piece);
        sent++;
      }
    });
    assert.ok(sent <= 20 * 1.05 + 2, `${sent} pieces`);
    world.leave(2);
    assert.ok(world.controller.summary(world.now).owedBytes > PIECE);
    for (const piece of [0, 1, 2, 3]) world.send(1, piece);
    assert.equal(world.controller.summary(world.now).owedBytes, 0);
  });
});

describe("help", () => {
  /** Two pieces, both outside: at 1. */
  function anOpenSwarm(budget?: number, onBudgetEnd?: "stop"): ControllerWorld {
    const numbers = { egressBudgetBytes: budget, onBudgetEnd };
    const world = new ControllerWorld({ policy: "fast", pieces: 2, numbers });
    world.join(1);
    world.takeAll([1]);
    world.join(2);
    world.pass(100);
    world.shows();
    return world;
  }

  test("once every piece is outside, everybody may ask for everything", () => {
    const world = anOpenSwarm();
    assert.deepEqual(
      [world.controller.isShown(2, 0), world.controller.isShown(2, 1)],
      [true, true],
    );
    world.join(3);
    world.pass(100);
    assert.deepEqual(
      [world.controller.isShown(3, 0), world.controller.isShown(3, 1)],
      [true, true],
    );
  });

  test("not before, and not by another policy", () => {
    for (const policy of ["balanced", "thrifty"] as const) {
      const world = new ControllerWorld({ policy, pieces: 8 });
      world.join(1);
      world.takeAll([1]);
      world.join(2);
      world.pass(100);
      assert.equal(
        world.offers().some((offer) => offer.endsWith("help")),
        false,
        policy,
      );
    }
    const world = new ControllerWorld({ policy: "fast", pieces: 8 });
    world.join(1);
    world.pass(5000);
    assert.equal(
      world.offers().some((offer) => offer.endsWith("help")),
      false,
    );
  });

  test("ends with the policy", () => {
    const world = anOpenSwarm();
    world.setPolicy("thrifty");
    world.join(3);
    world.pass(100);
    assert.equal(
      world.offers().some((offer) => offer.endsWith("help")),
      false,
    );
  });

  test("ends with the budget, except for what nobody outside has", () => {
    const world = anOpenSwarm(PIECE * 10);
    world.spentBytes = PIECE * 10;
    world.have(2, 0);
    world.join(3);
    world.pass(100);
    assert.equal(world.controller.isShown(3, 0), false, "1 and 2 have it");
    assert.equal(world.controller.isShown(2, 1), true, "below the floor");
    world.leave(1);
    world.pass(4000);
    assert.match(world.offers().join(), /3 1/);
  });

  test("ends at once when the budget's end is stop", () => {
    const world = anOpenSwarm(PIECE * 10, "stop");
    world.spentBytes = PIECE * 10;
    assert.equal(world.controller.isShown(2, 1), false);
    world.pass(30_000);
    assert.deepEqual(world.offers(), []);
  });
});

describe("what is told of the swarm", () => {
  test("nobody is there", () => {
    const world = new ControllerWorld();
    assert.equal(world.controller.nextTimeout(), undefined);
    assert.deepEqual(world.controller.summary(0), {
      peers: 0,
      downloaders: 0,
      copies: 0,
      floor: 0,
      pieceBelowFloor: undefined,
      hasForwarded: false,
      owedBytes: 0,
      sentAgoMs: undefined,
    });
  });

  test("S0, S1 and S2 in their turn; ticks end with the last peer", () => {
    const world = new ControllerWorld({ pieces: 2 });
    const code = () => decideState(world.controller.summary(world.now)).reason.code;
    world.join(1);
    world.join(2);
    assert.equal(code(), "nothing-forwarded");
    world.takeAll([1]);
    assert.equal(code(), "source-sending");
    world.have(2, 0, 1);
    const { downloaders, copies, hasForwarded } = world.controller.summary(world.now);
    assert.deepEqual([downloaders, copies, hasForwarded], [0, 2, true]);
    world.pass(10_000);
    assert.equal(code(), "peers-suffice");
    world.leave(1);
    world.leave(2);
    assert.equal(code(), "no-peer");
    world.pass(200);
    assert.equal(world.controller.nextTimeout(), undefined);
  });

  test("somebody is owed more than a piece", () => {
    const world = new ControllerWorld({ policy: "balanced", pieces: 2, uplink: 10 * PIECE });
    world.join(1);
    world.takeAll([1]);
    world.join(2);
    world.have(2, 0);
    keepBusy(world, 2, 1);
    world.pass(500);
    const code = () => decideState(world.controller.summary(world.now)).reason.code;
    assert.equal(code(), "piece-below-floor");
    world.setPolicy("balanced", { floor: 1 });
    assert.equal(code(), "downloader-owed");
  });

  test("the web seed answers by what is seen of the swarm", () => {
    const world = new ControllerWorld({ policy: "balanced", pieces: 2 });
    const wait = (host: string, mayRelease = true) =>
      world.controller.webSeedWait(world.now, host, mayRelease);
    assert.equal(wait("198.51.100.1"), 2, "alone");
    world.setPolicy("thrifty");
    assert.equal(wait("198.51.100.1"), 5, "alone, and thrifty");
    world.join(1);
    world.takeAll([1]);
    world.join(2);
    world.have(2, 0);
    keepBusy(world, 2, 1);
    assert.equal(wait("192.0.2.1"), 30, "connected");
    world.pass(5000);
    assert.equal(wait("198.51.100.1"), undefined, "cannot connect");
    world.pass(5000);
    assert.equal(wait("198.51.100.1"), 60, "S2");
    assert.equal(wait("198.51.100.1", false), undefined, "the Tracker says otherwise");
    world.setPolicy("balanced", { egressBudgetBytes: 0 });
    assert.equal(wait("198.51.100.1", false), 60, "spent");
  });
});

test("what strangers to the swarm do has no effect", () => {
  const { controller } = new ControllerWorld();
  controller.handleRequest(0, 9, 0);
  controller.handleSent(0, 9, 0, 100);
  controller.handleDropped(9, 1);
  controller.handleHave(0, 9, 0);
  controller.handleLeft(0, 9);
  controller.handlePieces(0, 9);
  assert.deepEqual(controller.takeShows(), []);
  assert.equal(controller.summary(0).peers, 0);
});
