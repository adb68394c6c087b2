/** An Announcer among fakes: content service and control link in memory, virtual time. */
import { MemoryCatalogue } from "../../src/adapters/memory/catalogue.ts";
import { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import { signingCrypto } from "../../src/adapters/node/signing-crypto.ts";
import { Announcer } from "../../src/announcer/announcer.ts";
import type { AnnouncerEvent } from "../../src/announcer/announcer-event.ts";
import { BtPublisherError } from "../../src/base/errors.ts";
import type { InfoHash } from "../../src/base/units.ts";
import type {
  AnnouncerControlLink,
  KnownSource,
  SwarmCounts,
} from "../../src/ports/tracker-control.ts";
import type { HeldState } from "../../src/protocol/control/participation.ts";
import type { AccessUpdate } from "../../src/protocol/control/access-values.ts";
import { FakeContentService } from "./fake-content-service.ts";

/** A Tracker as an Announcer sees it. */
export class FakeControlLink implements AnnouncerControlLink {
  isCut = false;
  urls: readonly string[] = ["http://pub.example/announce"];
  knownSources: readonly KnownSource[] = [
    {
      sourceId: "ab",
      publicUrl: "http://pub.example",
      peerAddress: { host: "192.0.2.1", port: 6881 },
      isAlive: true,
      status: undefined,
    },
  ];
  readonly accessUpdates: AccessUpdate[] = [];
  readonly swarmCounts = new Map<InfoHash, SwarmCounts>();
  readonly history = new Map<InfoHash, readonly HeldState[]>();

  counts(): Promise<ReadonlyMap<InfoHash, SwarmCounts>> {
    return this.#answer(this.swarmCounts);
  }

  states(infoHash: InfoHash): Promise<readonly HeldState[]> {
    return this.#answer(this.history.get(infoHash) ?? []);
  }

  sources(): Promise<readonly KnownSource[]> {
    return this.#answer(this.knownSources);
  }

  announceUrls(): Promise<readonly string[]> {
    return this.#answer(this.urls);
  }

  updateAccess(update: AccessUpdate): Promise<boolean> {
    this.accessUpdates.push(update);
    return this.#answer(true);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #answer<Value>(value: Value): Promise<Value> {
    if (!this.isCut) return Promise.resolve(value);
    return Promise.reject(new BtPublisherError("UNAVAILABLE", "the Tracker is away"));
  }
}

/** Everything around one Announcer; `restart` makes the next one over the same state. */
export interface AnnouncerWorld {
  readonly announcer: Announcer;
  readonly catalogue: MemoryCatalogue;
  readonly content: FakeContentService;
  readonly control: FakeControlLink;
  readonly clock: VirtualClock;
  readonly events: AnnouncerEvent[];
}

/** A started Announcer, over the state of `from` if given. */
export async function startAnnouncer(from?: AnnouncerWorld): Promise<AnnouncerWorld> {
  const world = from ?? {
    catalogue: new MemoryCatalogue(),
    content: new FakeContentService(),
    control: new FakeControlLink(),
    clock: new VirtualClock(),
  };
  const events: AnnouncerEvent[] = [];
  const { catalogue, content, control, clock } = world;
  const announcer = new Announcer(
    {
      catalogue,
      content,
      control,
      clock,
      signing: signingCrypto,
      onEvent: (event) => void events.push(event),
    },
    { publicUrl: "http://pub.example" },
  );
  await announcer.start();
  await announcer.publications.firstReconciliation;
  return { announcer, catalogue, content, control, clock, events };
}

/** Bytes as an upload's body. */
export async function* bodyOf(...parts: readonly (string | Uint8Array)[]) {
  for (const part of parts) yield typeof part === "string" ? new TextEncoder().encode(part) : part;
}
