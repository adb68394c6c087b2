/**
 * Keeps the Tracker's knowledge of keys true: says at once what changed, and every few seconds that
 * nothing else did. A Tracker that missed something, or is new, says so and gets everything again.
 */
import type { InfoHash, Millis } from "../base/units.ts";
import type { KeyFilter } from "../ports/access-store.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type {
  AccessUpdate,
  GuestAdmission,
  TorrentAccess,
  TrackerKey,
} from "../protocol/control/access-values.ts";
import type { PublicationSubject } from "./decisions.ts";

/** Published publications, by info hash. */
export type PublishedSubjects = ReadonlyMap<InfoHash, PublicationSubject>;

/** What a feed works with. */
export interface AccessFeedDependencies {
  readonly clock: Clock;
  /** Names this feed: random. */
  readonly name: string;
  readonly digestKey: string;
  /** Sends an update. @returns whether the Tracker knows everything now. */
  readonly send: (update: AccessUpdate) => Promise<boolean>;
  /** Lists the whole catalogue: asked for only when it may have changed. */
  readonly publications: () => Promise<PublishedSubjects>;
  /** The keys of `filter` that are good. */
  readonly keys: (
    filter: KeyFilter,
    publications: PublishedSubjects,
  ) => Promise<readonly TrackerKey[]>;
}

/** Well within the lease that a Tracker gives (five minutes), and the bound of a revocation (60 s). */
const BEAT_MS: Millis = 20_000;
const RETRY_MS: Millis = 1_000;
/** Keys and torrents of one message. */
const PART_LENGTH = 20_000;

type Change = Pick<AccessUpdate, "torrents" | "keys" | "revoked" | "guests">;
const nothing: Change = { torrents: [], keys: [], revoked: [], guests: [] };

export class AccessFeed {
  readonly #dependencies: AccessFeedDependencies;
  /** What the Tracker was told. */
  readonly #keys = new Map<string, TrackerKey>();
  readonly #torrents = new Map<InfoHash, TorrentAccess["level"]>();
  /** As they were listed last. */
  #publications: PublishedSubjects = new Map();
  /** A listing that has not begun yet: it is enough for all changes until then. */
  #listing: Promise<void> | undefined;
  #number = 0;
  #isCurrent = false;
  #timer: Timer | undefined;
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(dependencies: AccessFeedDependencies) {
    this.#dependencies = dependencies;
  }

  /** Tells everything. Resolves after the first attempt, whatever came of it. */
  start(): Promise<void> {
    return this.#beat();
  }

  /** Resolves when what is being told has been told, or could not be. */
  settled(): Promise<void> {
    return this.#work;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** Something about the keys that `filter` names changed. Never rejects. */
  refresh(filter: KeyFilter): Promise<void> {
    return this.#enqueue(async () => {
      if (!this.#isCurrent) return;
      const { infoHash } = filter;
      const isNews = infoHash !== undefined && !this.#publications.has(infoHash);
      const torrents = isNews ? await this.#listTorrents() : [];
      await this.#say({ ...(await this.#keyChanges(filter)), torrents });
    });
  }

  /** Publications came, went or changed. Never rejects. */
  publicationsChanged(): Promise<void> {
    this.#listing ??= this.#enqueue(async () => {
      this.#listing = undefined;
      if (this.#isCurrent) await this.#say(await this.#allChanges());
    });
    return this.#listing;
  }

  /** Lets an address in that has not announced yet. Never rejects. */
  admit(guest: GuestAdmission): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#isCurrent) await this.#say({ ...nothing, guests: [guest] });
    });
  }

  #beat(): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#isCurrent) await this.#say(nothing);
    });
  }

  /** Runs `work`, then tells everything if that is needed, then waits for the next beat. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#isClosed) return;
      try {
        await work();
        if (!this.#isCurrent) await this.#sayAll();
      } catch {
        // The Tracker or the store is away: all is told again when they are back.
        this.#isCurrent = false;
      }
      this.#arm();
    });
    return this.#work;
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#isClosed) return;
    const delay = this.#isCurrent ? BEAT_MS : RETRY_MS;
    this.#timer = this.#dependencies.clock.setTimer(delay, () => void this.#beat());
  }

  async #sayAll(): Promise<void> {
    this.#keys.clear();
    this.#torrents.clear();
    const { torrents, keys } = await this.#allChanges();
    const partCount = Math.max(1, Math.ceil(Math.max(torrents.length, keys.length) / PART_LENGTH));
    this.#isCurrent = true;
    for (let part = 0; part < partCount && this.#isCurrent; part++) {
      const from = part * PART_LENGTH;
      const change = {
        ...nothing,
        torrents: torrents.slice(from, from + PART_LENGTH),
        keys: keys.slice(from, from + PART_LENGTH),
      };
      await this.#say(change, { isWhole: part === 0, isLast: part === partCount - 1 });
    }
  }

  async #say(
    change: Change,
    part: Pick<AccessUpdate, "isWhole" | "isLast"> = { isWhole: false, isLast: true },
  ): Promise<void> {
    const { name: feed, digestKey, send } = this.#dependencies;
    const number = this.#number++;
    this.#isCurrent = await send({ feed, number, ...part, digestKey, ...change });
  }

  /** What the Tracker must be told so that it knows all that is true. */
  async #allChanges(): Promise<Change> {
    const torrents = await this.#listTorrents();
    return { ...(await this.#keyChanges({})), torrents };
  }

  /** Looks at the catalogue. @returns the torrents that the Tracker must be told of. */
  async #listTorrents(): Promise<readonly TorrentAccess[]> {
    this.#publications = await this.#dependencies.publications();
    const torrents: TorrentAccess[] = [];
    for (const [infoHash, { access }] of this.#publications) {
      const level = access.catalogue === "public" ? "open" : access.level;
      if (this.#torrents.get(infoHash) === level) continue;
      this.#torrents.set(infoHash, level);
      torrents.push({ infoHash, level });
    }
    return torrents;
  }

  /** What the Tracker must be told of the keys that `filter` names. */
  async #keyChanges(filter: KeyFilter): Promise<Change> {
    const good = await this.#dependencies.keys(filter, this.#publications);
    const digests = new Set(good.map(({ digest }) => digest));
    const revoked = [...this.#keys.values()]
      .filter((key) => isMeant(key, filter) && !digests.has(key.digest))
      .map(({ digest }) => digest);
    const keys = good.filter((key) => {
      const known = this.#keys.get(key.digest);
      return known === undefined || known.expiresAt !== key.expiresAt;
    });
    for (const digest of revoked) this.#keys.delete(digest);
    for (const key of keys) this.#keys.set(key.digest, key);
    return { ...nothing, keys, revoked };
  }
}

function isMeant(key: TrackerKey, { userId, infoHash }: KeyFilter): boolean {
  return (
    (userId === undefined || key.principal === userId) &&
    (infoHash === undefined || key.infoHash === infoHash)
  );
}
