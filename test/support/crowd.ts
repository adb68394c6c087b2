/** Flash crowds of our peers around a source with the participation controller, in virtual time. */
import { unwrap } from "../../src/base/errors.ts";
import { Allocation } from "../../src/participation/allocation.ts";
import { leastSeconds, leastSecondsWhenSent } from "../../src/participation/fluid-bound.ts";
import {
  type PolicyName,
  type PolicyNumbers,
  resolvePolicy,
} from "../../src/participation/policy.ts";
import { SwarmController } from "../../src/participation/swarm-controller.ts";
import { Uplink } from "../../src/participation/uplink.ts";
import type { Info } from "../../src/protocol/metainfo/metainfo.ts";
import { MemorySwarm, type MemberOptions, type SwarmMember } from "./memory-swarm.ts";
import { anInfo, someContent } from "./torrents.ts";

/** Bytes per second of 1 Mbit/s. */
export const MBIT = 125_000;

/** A crowd that comes at once. */
export interface CrowdOptions {
  readonly policy: PolicyName;
  readonly numbers?: PolicyNumbers;
  /** Mbit/s. */
  readonly uplinks: readonly number[];
  /** Mbit/s; 80 when it is not said. */
  readonly sourceUplink?: number;
  readonly downlink?: number;
  readonly contentMiB?: number;
  readonly pieceKiB?: number;
  readonly seed?: number;
  /** Milliseconds between arrivals; 0 when it is not said. */
  readonly arrivalMs?: number;
  /** Peers vanish in the moment in which they are complete. */
  readonly isSelfish?: boolean;
}

/** What became of it. */
export interface CrowdOutcome {
  /** Content that the source sent, in copies. */
  readonly copies: number;
  readonly lastSeconds: number;
  /** Last completion ÷ T*. */
  readonly ratio: number;
  /** Last completion ÷ T*(E), the bound at the copies really sent. */
  readonly ratioWhenSent: number;
  readonly offers: Readonly<Record<string, number>>;
}

/** Contents are made once: they are the same for every crowd. */
const infos = new Map<string, { readonly content: Uint8Array; readonly info: Info }>();

/** Content of `contentMiB` in pieces of `pieceKiB`. */
export function someTorrent(
  contentMiB: number,
  pieceKiB: number,
): { readonly content: Uint8Array; readonly info: Info } {
  const key = `${contentMiB}/${pieceKiB}`;
  let made = infos.get(key);
  if (made === undefined) {
    const content = someContent(contentMiB * 1024 * 1024, 5);
    made = { content, info: anInfo(content, pieceKiB * 1024) };
    infos.set(key, made);
  }
  return made;
}

/** A source that serves by `controller`. */
export function sourceOptions(
  content: Uint8Array,
  controller: SwarmController,
  mbit: number,
): MemberOptions {
  return {
    content,
    kind: "source",
    upBytesPerSecond: mbit * MBIT,
    role: {
      dialsPeers: false,
      keepsSeeds: true,
      uploadSlots: 1000,
      maxPeers: 1000,
      serving: controller,
    },
  };
}

/** An uplink to share. */
export function anAllocation(mbit = 80): Allocation {
  return new Allocation(new Uplink(() => mbit * MBIT));
}

/** A controller, of its own uplink unless `allocation` is shared. */
export function aController(
  swarm: MemorySwarm,
  options: Pick<CrowdOptions, "policy" | "numbers" | "sourceUplink">,
  allocation = anAllocation(options.sourceUplink),
): SwarmController {
  return new SwarmController(
    swarm.info.geometry,
    {
      policy: unwrap(resolvePolicy(options.policy, options.numbers)),
      allocation,
      spentBytes: () => 0,
      knowsPeer: () => false,
    },
    swarm.clock.now(),
  );
}

/** Runs a crowd until everybody is complete. @throws when it does not end. */
export async function runCrowd(options: CrowdOptions): Promise<CrowdOutcome> {
  const { uplinks, sourceUplink = 80, downlink = 80, arrivalMs = 0 } = options;
  const { content, info } = someTorrent(options.contentMiB ?? 64, options.pieceKiB ?? 256);
  const swarm = new MemorySwarm(info, options.seed ?? 42);
  const controller = aController(swarm, options);
  const source = await swarm.add("10.0.0.1", sourceOptions(content, controller, sourceUplink));
  const peers: SwarmMember[] = [];
  const present = new Set<SwarmMember>();
  const hasLeft = (): boolean => {
    for (const peer of present) {
      if (peer.completedAt === undefined) continue;
      present.delete(peer);
      if (options.isSelfish) swarm.network.removeHost(peer.ip);
    }
    return peers.length === uplinks.length && present.size === 0;
  };
  const run = (until: number) => swarm.clock.run({ isDone: hasLeft, until });
  for (const [i, uplink] of uplinks.entries()) {
    const rates = { upBytesPerSecond: uplink * MBIT, downBytesPerSecond: downlink * MBIT };
    const peer = await swarm.add(`10.0.${1 + (i >> 7)}.${1 + (i & 127)}`, rates);
    peers.push(peer);
    present.add(peer);
    if (arrivalMs > 0) {
      swarm.introduceAll();
      await run(swarm.clock.now() + arrivalMs);
    }
  }
  swarm.introduceAll();
  if (!(await run(3_600_000))) throw new Error("not every peer completed");
  const sent = source.runner.figures().uploadedBytes;
  const fluid = {
    contentLength: content.length,
    sourceUplink: sourceUplink * MBIT,
    peerUplinks: uplinks.map((uplink) => uplink * MBIT),
    slowestDownlink: downlink * MBIT,
  };
  const lastSeconds = Math.max(...peers.map((peer) => peer.completedAt as number)) / 1000;
  return {
    copies: sent / content.length,
    lastSeconds,
    ratio: lastSeconds / leastSeconds(fluid),
    ratioWhenSent: lastSeconds / leastSecondsWhenSent(fluid, sent),
    offers: controller.meter.figures(swarm.clock.now())?.offers ?? {},
  };
}
