/**
 * What is registered: in memory for every announce, in the store for good. Durable first: a
 * registration exists once the store has it, and is gone once the store forgot it. Counts are
 * written late, in `flush`.
 */
import { infoHashBytes } from "../base/bytes.ts";
import type { Random } from "../base/random.ts";
import type { IpBytes } from "../base/ip-address.ts";
import type { InfoHash, Millis } from "../base/units.ts";
import type { RegistrationStore } from "../ports/registration-store.ts";
import type { Registration } from "../ports/tracker-control.ts";
import type { HeldState } from "../protocol/control/participation.ts";
import { CompletionLimit } from "./completion-limit.ts";
import { HashIndex } from "./hash-index.ts";
import type { Swarm } from "./swarm.ts";

/** A registration with what was counted. Only `Registrations` changes it. */
export interface RegistrationRecord {
  registration: Registration;
  downloaded: number;
  /** Of `downloaded`, what the store does not know yet. */
  unsavedDownloads: number;
  /** The swarm's state when it was written last. */
  held: HeldState | undefined;
  /** Its peers, where the Tracker found them last; see `Swarms`. */
  swarm: Swarm | undefined;
}

/** What registrations are kept by. */
export interface RegistrationsDependencies {
  readonly store: RegistrationStore;
  readonly random: Random;
  /** Hears of counts that could not be written; they are tried again. */
  readonly onStoreError: (error: unknown) => void;
}

export class Registrations {
  readonly #store: RegistrationStore;
  readonly #onStoreError: (error: unknown) => void;
  readonly #records = new Map<InfoHash, RegistrationRecord>();
  /** The same, for doors that have the bytes of an info hash. */
  readonly #byBytes: HashIndex<RegistrationRecord>;
  readonly #completions: CompletionLimit;
  readonly #unsaved = new Set<InfoHash>();
  readonly #writes = new Set<Promise<void>>();
  /** Removals under way: what is registered anew meanwhile comes after them. */
  readonly #removals = new Map<InfoHash, Promise<void>>();

  private constructor({ store, random, onStoreError }: RegistrationsDependencies) {
    this.#store = store;
    this.#onStoreError = onStoreError;
    const seed = random.nextUint32();
    this.#byBytes = new HashIndex(seed);
    this.#completions = new CompletionLimit(seed);
  }

  static async load(dependencies: RegistrationsDependencies): Promise<Registrations> {
    const registrations = new Registrations(dependencies);
    for (const { downloaded, held, ...registration } of await dependencies.store.all()) {
      registrations.#add(registration, { downloaded, held });
    }
    return registrations;
  }

  get size(): number {
    return this.#records.size;
  }

  get all(): Iterable<RegistrationRecord> {
    return this.#records.values();
  }

  /** Keeps the state of a swarm through restarts. */
  holdState(infoHash: InfoHash, held: HeldState): void {
    const record = this.#records.get(infoHash);
    if (record === undefined) return;
    record.held = held;
    // A state that was not written is decided anew from evidence: nothing to repeat.
    this.#write(this.#store.holdState(infoHash, held), () => {});
  }

  /** The states that a swarm was in, oldest first. */
  states(infoHash: InfoHash): Promise<readonly HeldState[]> {
    return this.#store.states(infoHash);
  }

  get(infoHash: InfoHash): RegistrationRecord | undefined {
    return this.#records.get(infoHash);
  }

  /** The record of the info hash that these 20 bytes are. */
  find(infoHash: Uint8Array): RegistrationRecord | undefined {
    return this.#byBytes.get(infoHash);
  }

  /** Costs nothing when it is registered so already: sources say all of theirs at each reconnect. */
  async put(registration: Registration): Promise<void> {
    // That it failed is told to whoever asked for it.
    await this.#removals.get(registration.infoHash)?.catch(() => {});
    const known = this.#records.get(registration.infoHash);
    if (known !== undefined && isSame(known.registration, registration)) return;
    await this.#store.put(registration);
    const record = this.#records.get(registration.infoHash);
    if (record !== undefined) record.registration = registration;
    else this.#add(registration, { downloaded: 0, held: undefined });
  }

  remove(infoHash: InfoHash): Promise<void> {
    const removal = this.#remove(infoHash).finally(() => {
      if (this.#removals.get(infoHash) === removal) this.#removals.delete(infoHash);
    });
    this.#removals.set(infoHash, removal);
    return removal;
  }

  async #remove(infoHash: InfoHash): Promise<void> {
    await this.#store.remove(infoHash);
    this.#records.delete(infoHash);
    this.#byBytes.delete(infoHashBytes(infoHash));
    this.#unsaved.delete(infoHash);
  }

  /** A peer at `address` completed its download; not counted when its network does so too often. */
  countDownload(infoHash: InfoHash, address: IpBytes, now: Millis): void {
    const record = this.#records.get(infoHash);
    if (record === undefined) return;
    if (!this.#completions.admits(infoHashBytes(infoHash), address, now)) return;
    record.downloaded++;
    record.unsavedDownloads++;
    this.#unsaved.add(infoHash);
  }

  /** Writes the counts that changed. */
  flush(): void {
    for (const infoHash of this.#unsaved) {
      const record = this.#records.get(infoHash);
      if (record === undefined) continue;
      const count = record.unsavedDownloads;
      record.unsavedDownloads = 0;
      this.#write(this.#store.addDownloaded(infoHash, count), () => {
        record.unsavedDownloads += count;
        this.#unsaved.add(infoHash);
      });
    }
    this.#unsaved.clear();
  }

  /** Writes what is left and waits until it is written. */
  async close(): Promise<void> {
    this.flush();
    await Promise.all(this.#writes);
  }

  #add(registration: Registration, known: Pick<RegistrationRecord, "downloaded" | "held">): void {
    const record = { registration, ...known, unsavedDownloads: 0, swarm: undefined };
    const { infoHash } = registration;
    this.#records.set(infoHash, record);
    this.#byBytes.set(infoHashBytes(infoHash), record);
  }

  #write(work: Promise<void>, undo: () => void): void {
    const write = work
      .catch((error: unknown) => {
        undo();
        this.#onStoreError(error);
      })
      .finally(() => this.#writes.delete(write));
    this.#writes.add(write);
  }
}

function isSame(a: Registration, b: Registration): boolean {
  return (
    a.name === b.name &&
    a.contentLength === b.contentLength &&
    a.pieceCount === b.pieceCount &&
    a.isPrivate === b.isPrivate
  );
}
