/** Registrations that last as long as the object: for tests and the simulator. */
import type { InfoHash } from "../../base/units.ts";
import {
  MAX_STATES,
  type RegistrationStore,
  type StoredRegistration,
} from "../../ports/registration-store.ts";
import type { HeldState } from "../../protocol/control/participation.ts";
import type { Registration } from "../../ports/tracker-control.ts";

/** A registration store without a disk. */
export class MemoryRegistrationStore implements RegistrationStore {
  readonly #registrations = new Map<InfoHash, StoredRegistration>();
  readonly #states = new Map<InfoHash, readonly HeldState[]>();

  async put(registration: Registration): Promise<void> {
    const { infoHash } = registration;
    const { downloaded = 0, held } = this.#registrations.get(infoHash) ?? {};
    this.#registrations.set(infoHash, { ...registration, downloaded, held });
  }

  async addDownloaded(infoHash: InfoHash, count: number): Promise<void> {
    this.#change(infoHash, (stored) => ({ ...stored, downloaded: stored.downloaded + count }));
  }

  async holdState(infoHash: InfoHash, held: HeldState): Promise<void> {
    if (!this.#registrations.has(infoHash)) return;
    this.#change(infoHash, (stored) => ({ ...stored, held }));
    const before = this.#states.get(infoHash) ?? [];
    this.#states.set(infoHash, [...before, held].slice(-MAX_STATES));
  }

  async states(infoHash: InfoHash): Promise<readonly HeldState[]> {
    return this.#states.get(infoHash) ?? [];
  }

  async remove(infoHash: InfoHash): Promise<void> {
    this.#registrations.delete(infoHash);
    this.#states.delete(infoHash);
  }

  async all(): Promise<readonly StoredRegistration[]> {
    return [...this.#registrations.values()];
  }

  #change(infoHash: InfoHash, next: (stored: StoredRegistration) => StoredRegistration): void {
    const stored = this.#registrations.get(infoHash);
    if (stored !== undefined) this.#registrations.set(infoHash, next(stored));
  }
}
