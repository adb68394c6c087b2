/** The access model over a database in memory, joined with a Tracker's in virtual time. */
import type { TestContext } from "node:test";
import { AccessControl } from "../../src/access/access-control.ts";
import { MemoryCatalogue } from "../../src/adapters/memory/catalogue.ts";
import { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import { createSecrets, passkeyDigest } from "../../src/adapters/node/secrets.ts";
import { SqlAccessStore } from "../../src/adapters/sql/access-store.ts";
import { parseIp } from "../../src/base/ip-address.ts";
import type { InfoHash } from "../../src/base/units.ts";
import type { CatalogueName, Publication } from "../../src/ports/catalogue.ts";
import { defaultPolicy } from "../../src/ports/publication-policy.ts";
import type { SourceOrder } from "../../src/protocol/control/access-values.ts";
import { TrackerAccess } from "../../src/tracker/tracker-access.ts";

/** See the head of this file. */
export interface AccessWorld {
  readonly clock: VirtualClock;
  readonly store: SqlAccessStore;
  readonly catalogue: MemoryCatalogue;
  readonly control: AccessControl;
  /** What the Tracker told a SourceNode. */
  readonly orders: SourceOrder[];
  /** Set: updates do not reach the Tracker. */
  isCut: boolean;
  /** Set: the wall clock cannot be right. */
  clockFault: string | undefined;
  /** The Tracker as it is now; `restartTracker` makes another one, which knows nothing. */
  tracker: TrackerAccess;
  restartTracker(): void;
  publish(name: string, catalogue: CatalogueName): Promise<Publication>;
  /** What the Tracker says of `key` for the publication. */
  ask(publication: Publication, key: string | undefined): "allowed" | "denied";
}

/** Opens one; it is closed after the test. */
export async function openAccessWorld(t: TestContext): Promise<AccessWorld> {
  const clock = new VirtualClock();
  const catalogue = new MemoryCatalogue();
  const store = await SqlAccessStore.open(":memory:");
  const orders: SourceOrder[] = [];
  const openTracker = () => {
    const tracker = new TrackerAccess({
      clock,
      digestOf: passkeyDigest,
      isPrivate: () => true,
      intervalMs: 120_000,
      onEvent: () => {},
    });
    tracker.attachSource((order) => void orders.push(order));
    return tracker;
  };
  const control = new AccessControl({
    store,
    secrets: createSecrets(new Uint8Array(32).fill(3)),
    clock,
    catalogue,
    findClockFault: () => world.clockFault,
    isOwnerToken: (token) => token === "the owner's",
    tellTracker: async (update) => {
      if (world.isCut) throw new Error("the link is cut");
      return world.tracker.apply(update);
    },
  });
  const world: AccessWorld = {
    clock,
    store,
    catalogue,
    control,
    orders,
    isCut: false,
    clockFault: undefined,
    tracker: openTracker(),
    restartTracker: () => {
      world.tracker.close();
      world.tracker = openTracker();
    },
    publish: async (name, of) => {
      const publication = publicationNamed(name, of, clock.unixNow());
      await catalogue.create(publication);
      await control.publicationsChanged();
      return publication;
    },
    ask: (publication, key) => {
      const asker = { address: parseIp("192.0.2.1") as Uint8Array, peerId: new Uint8Array(20) };
      return world.tracker.decide(infoHashIn(publication), key, asker).type;
    },
  };
  await control.start();
  t.after(async () => {
    control.close();
    world.tracker.close();
    await store.close();
  });
  return world;
}

/** The info hash of what is published. */
export function infoHashIn({ content }: Publication): InfoHash {
  return content?.infoHash as InfoHash;
}

function publicationNamed(name: string, catalogue: CatalogueName, createdAt: number): Publication {
  const digits = Buffer.from(name).toString("hex").padEnd(40, "0").slice(0, 40);
  return {
    name,
    state: "published",
    createdAt,
    policy: defaultPolicy,
    access: { catalogue, level: "admitted", ownerId: undefined },
    content: {
      infoHash: digits as InfoHash,
      info: new Uint8Array(0),
      contentName: name,
      isDirectory: false,
      contentLength: 1,
      files: [],
      publishedAt: createdAt,
    },
  };
}
