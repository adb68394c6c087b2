/** A Tracker in virtual time, with what its tests say to it. */
import { MemoryRegistrationStore } from "../../src/adapters/memory/registration-store.ts";
import { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import { type IpBytes, parseIp } from "../../src/base/ip-address.ts";
import { createRandom } from "../../src/base/random.ts";
import type { InfoHash } from "../../src/base/units.ts";
import type { Registration, SourceHello, SourceStatus } from "../../src/ports/tracker-control.ts";
import type { RegistrationStore } from "../../src/ports/registration-store.ts";
import type { TrackerOptions } from "../../src/tracker/options.ts";
import { Tracker, type TrackerAnnounce } from "../../src/tracker/tracker.ts";
import type { AnnounceAccess } from "../../src/tracker/announce-access.ts";
import { infoHashBytes } from "../../src/base/bytes.ts";
import { idleParticipation } from "./participation.ts";

export const announceUrls: readonly string[] = ["http://tracker.example/announce"];

export interface TrackerWorld {
  readonly tracker: Tracker;
  readonly clock: VirtualClock;
  readonly store: RegistrationStore;
  readonly storeErrors: readonly unknown[];
  /** Lets virtual time pass. */
  pass(ms: number): Promise<void>;
}

export async function openTrackerWorld(
  options: Partial<TrackerOptions> = {},
  store: RegistrationStore = new MemoryRegistrationStore(),
  access?: AnnounceAccess,
): Promise<TrackerWorld> {
  const clock = new VirtualClock();
  const storeErrors: unknown[] = [];
  const tracker = await Tracker.open(options, {
    store,
    clock,
    random: createRandom(7),
    announceUrls: () => announceUrls,
    onStoreError: (error) => storeErrors.push(error),
    ...(access === undefined ? {} : { access }),
  });
  const pass = async (ms: number) => {
    await clock.run({ until: clock.now() + ms });
  };
  return { tracker, clock, store, storeErrors, pass };
}

export function infoHashOfDigit(digit: string): InfoHash {
  return digit.repeat(40) as InfoHash;
}

export const registration: Registration = {
  infoHash: infoHashOfDigit("a"),
  name: "debian-13",
  contentLength: 4_000_000_000,
  pieceCount: 2000,
  isPrivate: false,
};

export const otherRegistration: Registration = {
  ...registration,
  infoHash: infoHashOfDigit("b"),
  name: "fedora-43",
};

export const hello: SourceHello = {
  sourceId: "5eed5eed",
  peerHost: "198.51.100.1",
  peerPort: 6881,
  publicUrl: "http://source.example:8080",
};

export function statusOf(...infoHashes: readonly InfoHash[]): SourceStatus {
  return {
    uplinkBytesPerSecond: 1000,
    uplinkLimitBytesPerSecond: undefined,
    connections: 3,
    cpuFraction: 0.5,
    eventLoopDelayMs: 1.5,
    storageReadBytesPerSecond: 0,
    swarms: infoHashes.map((infoHash) => ({
      infoHash,
      connections: 1,
      sentBytes: 5,
      copies: 0,
      participation: idleParticipation,
    })),
  };
}

/** A peer of its own host, numbered from 0, that announces for `registration`. */
export interface TestPeer {
  readonly address: IpBytes;
  readonly peerId: Uint8Array;
}

export function testPeer(number: number): TestPeer {
  const peerId = new Uint8Array(20);
  new DataView(peerId.buffer).setUint32(16, number);
  return { address: Uint8Array.of(203, 0, number >> 8, number), peerId };
}

/** An announce with its info hash as tests write it. */
export type TestAnnounce = Omit<TrackerAnnounce, "infoHash"> & { readonly infoHash: InfoHash };

export function announceOf(peer: TestPeer, changes: Partial<TestAnnounce> = {}): TrackerAnnounce {
  const { infoHash = registration.infoHash, ...others } = changes;
  return {
    infoHash: infoHashBytes(infoHash),
    peerId: peer.peerId,
    port: 6881,
    event: undefined,
    left: 1000,
    numWant: undefined,
    wantsBothFamilies: true,
    ...others,
  };
}

export function ip(text: string): IpBytes {
  return parseIp(text) as IpBytes;
}
