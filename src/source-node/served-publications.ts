/**
 * The publications of a SourceNode and their way onto the network: ledger, registration at the
 * Tracker, seeding. What is withdrawn keeps its registration, so that the swarm goes on without us.
 */
import { Bitfield } from "../base/bitfield.ts";
import { BtPublisherError } from "../base/errors.ts";
import type { InfoHash } from "../base/units.ts";
import type { LedgerKeeper } from "../ledger/ledger-keeper.ts";
import type { FileStamp, PublicationStore, StoredPublication } from "../ports/content-storage.ts";
import type { PieceStore } from "../ports/piece-store.ts";
import type { SourceControlLink } from "../ports/tracker-control.ts";
import type { PublicationPolicy } from "../ports/publication-policy.ts";
import type { Info } from "../protocol/metainfo/metainfo.ts";
import type { Participation } from "./participation.ts";
import type { PeerClosed } from "../runtime/torrent-setup.ts";
import { Publication } from "./publication.ts";
import type { SeedHost } from "./seed-host.ts";
import { messageOf, type SourceEvent, type WithdrawalReason } from "./source-event.ts";

/** Opens the store of content that lies at `path` (a file or a directory), for reading. */
export type OpenStore = (path: string, info: Info) => Promise<PieceStore>;

/** What serving works with. */
export interface ServingDependencies {
  readonly publications: PublicationStore;
  readonly openStore: OpenStore;
  readonly host: SeedHost;
  readonly link: SourceControlLink;
  readonly ledgers: LedgerKeeper;
  readonly participation: Participation;
  readonly onEvent: (event: SourceEvent) => void;
}

/**
 * A SourceNode waits for its peers, dials those whom the Tracker has it watch, and stays connected
 * to seeds. Everybody is unchoked: what a peer may have is decided piece by piece.
 */
const seedRole = {
  dialsPeers: true,
  keepsSeeds: true,
  uploadSlots: 1000,
  maxPeers: 1000,
} as const;

export class ServedPublications {
  readonly #dependencies: ServingDependencies;
  readonly #byName = new Map<string, Publication>();
  /** Also of those that are being committed. */
  readonly #namesByInfoHash = new Map<InfoHash, string>();
  readonly #stores = new Map<Publication, PieceStore>();

  constructor(dependencies: ServingDependencies) {
    this.#dependencies = dependencies;
  }

  /** All but those that are being removed. */
  get all(): readonly Publication[] {
    return [...this.#byName.values()].filter(({ state }) => state.name !== "removed");
  }

  /** Its name is taken, even while it is being removed. */
  get(name: string): Publication | undefined {
    return this.#byName.get(name);
  }

  /** @throws NOT_FOUND */
  need(name: string): Publication {
    const publication = this.#byName.get(name);
    if (publication !== undefined) return publication;
    throw new BtPublisherError("NOT_FOUND", `there is no publication named ${name}`);
  }

  /**
   * Keeps `infoHash` for the publication `name`: two of the same content cannot be served apart.
   * @throws CONFLICT
   */
  reserve(infoHash: InfoHash, name: string): void {
    const owner = this.#namesByInfoHash.get(infoHash) ?? name;
    if (owner !== name) {
      const message = `the same content is published already, as ${owner}`;
      const detail = { reason: "ALREADY_PUBLISHED", name: owner, infoHash };
      throw new BtPublisherError("CONFLICT", message, { detail });
    }
    this.#namesByInfoHash.set(infoHash, name);
  }

  /** Undoes `reserve` after a commit that failed. */
  release(infoHash: InfoHash): void {
    this.#namesByInfoHash.delete(infoHash);
  }

  /** Takes in a publication that is stored; `serve` or `withdraw` comes next. */
  async add(stored: StoredPublication, info: Info): Promise<Publication> {
    const ledger = await this.#dependencies.ledgers.open(info.infoHash, info.geometry);
    const publication = new Publication(stored, info, ledger);
    this.#namesByInfoHash.set(info.infoHash, publication.name);
    this.#byName.set(publication.name, publication);
    return publication;
  }

  /** Seeds it, unless it is seeded. Files that cannot be opened withdraw it instead. */
  async serve(publication: Publication): Promise<void> {
    if (this.#stores.has(publication)) return;
    const { publications, openStore, host, participation, onEvent } = this.#dependencies;
    const path = publications.contentPath(publication.content);
    const { state } = publication;
    let store: PieceStore;
    try {
      store = await openStore(path, publication.info);
    } catch (cause) {
      onEvent({ type: "storage-failed", name: publication.name, message: messageOf(cause) });
      await this.withdraw(publication, { code: "file-missing", path });
      return;
    }
    // Withdrawn, removed or served meanwhile: the next look at its files decides anew.
    if (publication.state !== state || this.#stores.has(publication)) {
      await store.close();
      return;
    }
    this.#stores.set(publication, store);
    const { info, ledger } = publication;
    const have = Bitfield.full(info.geometry.pieceCount);
    const events = {
      onBlocksSent: ledger.add.bind(ledger),
      onPeerClosed: (closed: PeerClosed) =>
        onEvent({ type: "peer-closed", name: publication.name, closed }),
      onStorageError: (error: BtPublisherError) =>
        onEvent({ type: "storage-failed", name: publication.name, message: error.message }),
    };
    const serving = participation.open(publication);
    host.add({ info, store, have }, events, { ...seedRole, serving });
    if (publication.state.name === "withdrawn") {
      onEvent({ type: "restored", name: publication.name, infoHash: publication.infoHash });
    }
    publication.state = { name: "serving" };
  }

  /** Stops seeding it at once, until `serve`. */
  async withdraw(publication: Publication, reason: WithdrawalReason): Promise<void> {
    if (publication.state.name !== "serving") return;
    publication.state = { name: "withdrawn", reason };
    const { name, infoHash } = publication;
    this.#dependencies.onEvent({ type: "withdrawn", name, infoHash, reason });
    await this.#stopSeeding(publication);
  }

  /** Registers it. @returns whether the Tracker has it now; an event says why not. */
  async register(publication: Publication): Promise<boolean> {
    const { name, infoHash, info, content } = publication;
    try {
      await this.#dependencies.link.register({
        infoHash,
        name,
        contentLength: content.contentLength,
        pieceCount: info.geometry.pieceCount,
        isPrivate: info.isPrivate,
      });
      publication.isRegistered = true;
    } catch (cause) {
      this.#dependencies.onEvent({ type: "register-failed", name, message: messageOf(cause) });
    }
    return publication.isRegistered;
  }

  /** The files look different than before, and are what was published all the same. */
  async restamp(publication: Publication, stamps: readonly FileStamp[]): Promise<void> {
    publication.setStamps(stamps);
    await this.#dependencies.publications.update(publication.stored);
  }

  /** Serves it by `policy` from now on. @throws STORAGE_FULL, STORAGE_IO: then nothing changed. */
  async setPolicy(publication: Publication, policy: PublicationPolicy): Promise<void> {
    const before = publication.content.policy;
    publication.setPolicy(policy);
    try {
      await this.#dependencies.publications.update(publication.stored);
    } catch (error) {
      publication.setPolicy(before);
      throw error;
    }
    this.#dependencies.participation.setPolicy(publication.infoHash, policy);
  }

  /** Ends it for good. @throws what unregistering or deleting throws: then it stays published. */
  async remove(publication: Publication): Promise<void> {
    const { link, ledgers, publications, onEvent } = this.#dependencies;
    const { name, infoHash } = publication;
    await link.unregister(infoHash);
    publication.isRegistered = false;
    publication.state = { name: "removed" };
    await this.#stopSeeding(publication);
    try {
      await publications.remove(name);
    } catch (error) {
      publication.state = { name: "withdrawn", reason: { code: "not-removed" } };
      throw error;
    }
    this.#byName.delete(name);
    this.#namesByInfoHash.delete(infoHash);
    await ledgers.remove(infoHash);
    onEvent({ type: "unpublished", name, infoHash });
  }

  /** Stops seeding everything. */
  async close(): Promise<void> {
    await Promise.all(this.all.map((publication) => this.#stopSeeding(publication)));
  }

  async #stopSeeding(publication: Publication): Promise<void> {
    const store = this.#stores.get(publication);
    if (store === undefined) return;
    this.#stores.delete(publication);
    this.#dependencies.participation.close(publication.infoHash);
    await this.#dependencies.host.remove(publication.infoHash);
    await store.close();
  }
}
