/**
 * The participation controller with our peers, in virtual time: what it costs the source, how long
 * it takes, and that no peer is worse off than by plain C/S. The lab has the same with real clients.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bitfield } from "../../src/base/bitfield.ts";
import { decideState } from "../../src/participation/state.ts";
import type { SwarmController } from "../../src/participation/swarm-controller.ts";
import type { ParticipationState } from "../../src/protocol/control/participation.ts";
import {
  aController,
  anAllocation,
  MBIT,
  runCrowd,
  someTorrent,
  sourceOptions,
} from "../support/crowd.ts";
import { MemorySwarm, type SwarmMember } from "../support/memory-swarm.ts";

const { content, info } = someTorrent(32, 128);
const size = { contentMiB: 32, pieceKiB: 128 };
const peerRates = { upBytesPerSecond: 20 * MBIT, downBytesPerSecond: 80 * MBIT };

function equal(count: number, mbit = 20): readonly number[] {
  return Array.from({ length: count }, () => mbit);
}

function unequal(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => [5, 10, 20, 40][i % 4] as number);
}

/** A swarm with a source that serves by `controller`, and `count` peers that know each other. */
async function swarmOf(
  count: number,
  policy: "fast" | "balanced" | "thrifty",
  downlinks: readonly number[] = [],
): Promise<{
  readonly swarm: MemorySwarm;
  readonly source: SwarmMember;
  readonly peers: readonly SwarmMember[];
  readonly controller: SwarmController;
}> {
  const swarm = new MemorySwarm(info, 7);
  const controller = aController(swarm, { policy });
  const source = await swarm.add("10.0.0.1", sourceOptions(content, controller, 80));
  const peers: SwarmMember[] = [];
  for (let i = 0; i < count; i++) {
    const downBytesPerSecond = (downlinks[i] ?? 80) * MBIT;
    peers.push(await swarm.add(`10.0.1.${i + 1}`, { ...peerRates, downBytesPerSecond }));
  }
  swarm.introduceAll();
  return { swarm, source, peers, controller };
}

function runFor(swarm: MemorySwarm, ms: number): Promise<boolean> {
  return swarm.clock.run({ isDone: () => false, until: swarm.clock.now() + ms });
}

function lastSeconds(peers: readonly SwarmMember[]): number {
  return Math.max(...peers.map((peer) => peer.completedAt as number)) / 1000;
}

describe("a flash crowd of our peers", () => {
  for (const policy of ["thrifty", "balanced"] as const) {
    test(`${policy}: pays for about one copy, at nearly the time that one copy allows`, async () => {
      const { copies, ratioWhenSent } = await runCrowd({ ...size, policy, uplinks: equal(8) });
      assert.ok(copies <= 1.04, `${copies} copies`);
      assert.ok(ratioWhenSent <= 1.12, `${ratioWhenSent} × T*(E)`);
    });

    test(`${policy}: with unequal uplinks the slow ones do not set the pace`, async () => {
      const { copies, ratioWhenSent } = await runCrowd({ ...size, policy, uplinks: unequal(8) });
      assert.ok(copies <= 1.15, `${copies} copies`);
      assert.ok(ratioWhenSent <= 1.15, `${ratioWhenSent} × T*(E)`);
    });
  }

  test("fast: ends nearly as soon as anything can", async () => {
    const { ratio } = await runCrowd({ ...size, policy: "fast", uplinks: equal(8) });
    assert.ok(ratio <= 1.1, `${ratio} × T*`);
  });

  test("T17 balanced: peers that hardly help get what plain C/S would give them, and give what they can", async () => {
    const { copies, lastSeconds: last } = await runCrowd({
      policy: "balanced",
      uplinks: equal(8, 1),
    });
    // N F / u_s, and the least that it must cost: N (1 - Σu / u_s).
    const direct = (8 * 64 * 1024 * 1024) / (80 * MBIT);
    const least = 8 * (1 - 8 / 80);
    assert.ok(last <= 1.05 * direct, `${last} s, plain C/S ${direct} s`);
    assert.ok(copies <= 1.05 * least, `${copies} copies`);
  });

  test("balanced: one peer has the whole uplink", async () => {
    const { ratio, copies } = await runCrowd({ ...size, policy: "balanced", uplinks: equal(1) });
    assert.ok(ratio <= 1.08, `${ratio} × T*`);
    assert.ok(copies < 1.01, `${copies} copies`);
  });

  test("balanced: a slow downlink neither holds up the others nor costs a copy", async () => {
    const { swarm, source, peers, controller } = await swarmOf(4, "balanced", [80, 80, 80, 2]);
    const [slow] = peers.slice(-1) as [SwarmMember];
    const others = peers.slice(0, -1);
    let wasS2 = false;
    while (!slow.have.isFull && swarm.clock.now() < 200_000) {
      await runFor(swarm, 1000);
      wasS2 ||= decideState(controller.summary(swarm.clock.now())).state === "S2";
    }
    const copies = source.runner.figures().uploadedBytes / content.length;
    assert.ok(copies <= 1.2, `${copies} copies`);
    assert.ok(wasS2, "its neighbours suffice for it");
    // A plain download takes a quarter of the uplink.
    const direct = (4 * content.length) / (80 * MBIT);
    assert.ok(lastSeconds(others) <= 1.1 * direct, `${lastSeconds(others)} s`);
    const alone = content.length / (2 * MBIT);
    assert.ok(lastSeconds([slow]) <= 1.05 * alone, `${lastSeconds([slow])} s`);
  });

  test("balanced: who comes one after the other finds most of it at those before", async () => {
    const options = { policy: "balanced", uplinks: equal(8), arrivalMs: 3000 } as const;
    const { copies } = await runCrowd(options);
    assert.ok(copies <= 1.4, `${copies} copies`);
  });

  test("balanced: the same, and each leaves as soon as it is complete", async () => {
    const crowd = { uplinks: equal(8), arrivalMs: 3000, isSelfish: true } as const;
    const { copies, lastSeconds: last } = await runCrowd({ policy: "balanced", ...crowd });
    const direct = (8 * 64 * 1024 * 1024) / (80 * MBIT);
    assert.ok(last <= direct, `${last} s, plain C/S ${direct} s`);
    assert.ok(copies <= 1.7, `${copies} copies`);
  });
});

describe("what peers do to a swarm", () => {
  test("T16 a hundred liars that say they are complete change nothing for the others", async () => {
    const honest = await swarmOf(4, "balanced");
    assert.ok(await honest.swarm.runUntilComplete(honest.peers));

    const swarm = new MemorySwarm(info, 7);
    const controller = aController(swarm, { policy: "balanced" });
    await swarm.add("10.0.0.1", sourceOptions(content, controller, 80));
    const have = Bitfield.full(info.geometry.pieceCount);
    const liar = { have, role: { uploadSlots: 0, maxPeers: 4, dialsPeers: true } };
    for (let i = 0; i < 100; i++) await swarm.add(`10.0.9.${i + 1}`, { ...peerRates, ...liar });
    const peers: SwarmMember[] = [];
    for (let i = 0; i < 4; i++) peers.push(await swarm.add(`10.0.1.${i + 1}`, peerRates));
    // A sample of 50 among 100 liars: who knows too few asks the Tracker again.
    swarm.introduceAll();
    swarm.introduceAll();
    assert.ok(await swarm.runUntilComplete(peers), "not every honest peer completed");

    const ratio = lastSeconds(peers) / lastSeconds(honest.peers);
    assert.ok(ratio <= 1.2, `${ratio} × as long as without liars`);
  });

  test("server gone after its last new piece was seen outside: thrifty peers that stay finish", async () => {
    const { swarm, source, peers, controller } = await swarmOf(8, "thrifty");
    const isOut = () => controller.evidence.copies.least > 0;
    assert.ok(await swarm.clock.run({ isDone: isOut, until: 60_000 }));
    await runFor(swarm, 1000);
    swarm.network.removeHost("10.0.0.1");

    assert.ok(await swarm.runUntilComplete(peers, 600_000), "a piece died with the server");
    assert.ok(source.runner.figures().uploadedBytes < 1.2 * content.length);
  });

  test("half of the peers vanish: what they took along is sent again", async () => {
    const { swarm, peers } = await swarmOf(8, "balanced");
    await runFor(swarm, 6000);
    const [gone, left] = [peers.slice(0, 4), peers.slice(4)];
    for (const { ip } of gone) swarm.network.removeHost(ip);

    assert.ok(await swarm.runUntilComplete(left, 120_000), "somebody waits for ever");
  });

  test("all peers leave in S2, one newcomer comes: it is served at once, at full rate", async () => {
    const { swarm, peers, controller } = await swarmOf(4, "balanced");
    assert.ok(await swarm.runUntilComplete(peers));
    await runFor(swarm, 15_000);
    assert.equal(decideState(controller.summary(swarm.clock.now())).state, "S2");
    for (const { ip } of peers) swarm.network.removeHost(ip);
    await runFor(swarm, 60_000);
    assert.equal(decideState(controller.summary(swarm.clock.now())).state, "S0");

    const since = swarm.clock.now();
    const newcomer = await swarm.add("10.0.2.1", peerRates);
    newcomer.runner.addAddresses([{ host: "10.0.0.1", port: 6881 }]);
    assert.ok(await swarm.runUntilComplete([newcomer]));
    const seconds = ((newcomer.completedAt as number) - since) / 1000;
    const direct = content.length / (80 * MBIT);
    assert.ok(seconds <= 1.1 * direct + 1, `${seconds} s, plain C/S ${direct} s`);
  });

  test("S3 free riders that upload nothing take no piece out of the world", async () => {
    const swarm = new MemorySwarm(info, 7);
    const controller = aController(swarm, { policy: "thrifty" });
    await swarm.add("10.0.0.1", sourceOptions(content, controller, 80));
    const peers: SwarmMember[] = [];
    for (let i = 0; i < 9; i++) {
      const role = i % 3 === 0 ? { role: { uploadSlots: 0 } } : {};
      peers.push(await swarm.add(`10.0.1.${i + 1}`, { ...peerRates, ...role }));
    }
    swarm.introduceAll();
    assert.ok(await swarm.runUntilComplete(peers, 600_000), "somebody waits for ever");
  });
});

describe("the state of a swarm", () => {
  test("goes S0, S1, S2 with a crowd, and back to S0 when everybody left", async () => {
    const { swarm, peers, controller } = await swarmOf(4, "balanced");
    const states: ParticipationState[] = [];
    const look = (): void => {
      const { state } = decideState(controller.summary(swarm.clock.now()));
      if (states.at(-1) !== state) states.push(state);
    };
    for (let i = 0; i < 600; i++) {
      look();
      await runFor(swarm, 100);
      if (i === 500) for (const { ip } of peers) swarm.network.removeHost(ip);
    }
    assert.deepEqual(states, ["S0", "S1", "S2", "S0"]);
  });

  test("an egress budget that is spent leaves only what nobody else has", async () => {
    const swarm = new MemorySwarm(info, 7);
    const numbers = { egressBudgetBytes: 0 };
    const controller = aController(swarm, { policy: "fast", numbers });
    const source = await swarm.add("10.0.0.1", sourceOptions(content, controller, 80));
    const peers: SwarmMember[] = [];
    for (let i = 0; i < 4; i++) peers.push(await swarm.add(`10.0.1.${i + 1}`, peerRates));
    swarm.introduceAll();
    assert.ok(await swarm.runUntilComplete(peers), "the link broke");
    const copies = source.runner.figures().uploadedBytes / content.length;
    assert.ok(copies <= 1.1, `${copies} copies`);
  });

  test("a deadline makes the source help as much as it takes", async () => {
    const uplinks = equal(8);
    const late = await runCrowd({ ...size, policy: "thrifty", uplinks });
    const deadline = late.lastSeconds * 0.8 * 1000;
    const soon = await runCrowd({ ...size, policy: "thrifty", numbers: { deadline }, uplinks });
    assert.ok(soon.lastSeconds <= late.lastSeconds * 0.85, `${soon.lastSeconds} s`);
    assert.ok(soon.copies > late.copies);
  });
});

describe("one scarce uplink for three swarms of 1, 4 and 16 peers", () => {
  /** Mean rate of all downloads until the last one ended, bytes per second of each peer, summed. */
  async function sumOfRates(isShared: boolean): Promise<number> {
    const sizes = [1, 4, 16];
    const total = 20;
    const shared = anAllocation(total);
    let first: MemorySwarm | undefined;
    let source: SwarmMember | undefined;
    const peers: SwarmMember[] = [];
    for (const [s, count] of sizes.entries()) {
      const torrent = someTorrent(8, 64 << s);
      const swarm: MemorySwarm = new MemorySwarm(torrent.info, 7, first);
      const mbit = isShared ? total : total / sizes.length;
      const allocation = isShared ? shared : anAllocation(mbit);
      const controller = aController(swarm, { policy: "thrifty" }, allocation);
      const options = sourceOptions(torrent.content, controller, mbit);
      if (isShared && source !== undefined)
        swarm.addTo(source, torrent.content, options.role ?? {});
      else source = await swarm.add(`10.0.0.${s + 1}`, options);
      first ??= swarm;
      const own: SwarmMember[] = [];
      for (let i = 0; i < count; i++) own.push(await swarm.add(`10.${s}.1.${i + 1}`, peerRates));
      const seed = { host: source.ip, port: 6881 };
      for (const each of own) {
        const others = own.filter((other) => other !== each).map(({ address }) => address);
        each.runner.addAddresses([seed, ...others]);
      }
      peers.push(...own);
    }
    const clock = (first as MemorySwarm).clock;
    const isDone = () => peers.every((peer) => peer.have.isFull);
    assert.ok(await clock.run({ isDone, until: 600_000 }), "not every peer completed");
    const length = 8 * 1024 * 1024;
    return peers.reduce((sum, peer) => sum + (length * 1000) / (peer.completedAt as number), 0);
  }

  test("the sum of download rates is well above an equal split's", async () => {
    const gain = (await sumOfRates(true)) / (await sumOfRates(false));
    assert.ok(gain >= 1.15, `${gain} × equal split`);
  });
});
