/**
 * Passkeys: one for each user and torrent, in the announce URL of that user's .torrent. A key is
 * derived and not kept: the same user gets the same key again, while the store has its digest only.
 * A .torrent that leaks gives away one swarm, and names whose it was.
 */
import type { InfoHash, UnixMillis } from "../base/units.ts";
import type { AccessStore, KeyFilter, Passkey, UserAccount } from "../ports/access-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { Secrets } from "../ports/secrets.ts";
import type { TrackerKey } from "../protocol/control/access-values.ts";
import type { PublishedSubjects } from "./access-feed.ts";
import { decideDownload, downloadEndsAt } from "./decisions.ts";
import { type Principal, scopesOfRole } from "./principal.ts";

/** What passkeys are made with. */
export interface PasskeysDependencies {
  readonly store: AccessStore;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

/** 160 bits, as hexadecimal digits: all clients keep them as they are. */
const KEY_DIGITS = 40;

export class Passkeys {
  readonly #dependencies: PasskeysDependencies;

  constructor(dependencies: PasskeysDependencies) {
    this.#dependencies = dependencies;
  }

  /** The key of `user` for `infoHash`; the same as before unless that was replaced or revoked. */
  async issue(
    user: UserAccount,
    infoHash: InfoHash,
  ): Promise<{ readonly key: string; readonly isNew: boolean }> {
    const { store, clock } = this.#dependencies;
    const last = (await store.passkeys({ userId: user.id, infoHash })).at(-1);
    const isNew = last === undefined || last.validUntil !== undefined;
    const generation = (last?.generation ?? 0) + (isNew ? 1 : 0);
    const key = this.#derive(user.id, infoHash, generation);
    if (isNew) {
      await store.putPasskey({
        digest: this.#digestOf(key),
        userId: user.id,
        infoHash,
        generation,
        createdAt: clock.unixNow(),
        validUntil: undefined,
      });
    }
    return { key, isNew };
  }

  /**
   * Has the keys that `filter` names end after `graceMs`, 0: now. The next .torrent that is fetched
   * has a new one. @returns how many.
   */
  async retire(filter: KeyFilter, graceMs: number): Promise<number> {
    const { store, clock } = this.#dependencies;
    const end = clock.unixNow() + graceMs;
    const keys = await store.passkeys(filter);
    const good = keys.filter(({ validUntil }) => (validUntil ?? Number.POSITIVE_INFINITY) > end);
    for (const key of good) await store.putPasskey({ ...key, validUntil: end });
    return good.length;
  }

  /** Of the keys that `filter` names, those that are good at `publications` now, and how long. */
  async good(filter: KeyFilter, publications: PublishedSubjects): Promise<readonly TrackerKey[]> {
    const { store, clock } = this.#dependencies;
    const now = clock.unixNow();
    const principals = new Map<string, Principal | undefined>();
    const good: TrackerKey[] = [];
    for (const key of await store.passkeys(filter)) {
      const publication = publications.get(key.infoHash);
      if (publication === undefined || (key.validUntil ?? now + 1) <= now) continue;
      if (!principals.has(key.userId)) principals.set(key.userId, await this.#holder(key.userId));
      const holder = principals.get(key.userId);
      if (holder === undefined || !decideDownload(holder, publication, now).isAllowed) continue;
      good.push(trackerKey(key, downloadEndsAt(holder, publication, now)));
    }
    return good;
  }

  /** The user with all rights of its role, whichever token it last showed. */
  async #holder(userId: string): Promise<Principal | undefined> {
    const { store } = this.#dependencies;
    const user = await store.userById(userId);
    if (user === undefined) return undefined;
    return {
      type: "user",
      user,
      scopes: scopesOfRole[user.role],
      grants: await store.grants(userId),
    };
  }

  #derive(userId: string, infoHash: InfoHash, generation: number): string {
    const subject = `${userId} ${infoHash} ${generation}`;
    return this.#dependencies.secrets.keyedDigest("passkey", subject).slice(0, KEY_DIGITS);
  }

  #digestOf(key: string): string {
    return this.#dependencies.secrets.keyedDigest("passkey-digest", key);
  }
}

function trackerKey(key: Passkey, endsAt: UnixMillis | undefined): TrackerKey {
  const { digest, infoHash, userId: principal, validUntil } = key;
  const end = Math.min(validUntil ?? Number.POSITIVE_INFINITY, endsAt ?? Number.POSITIVE_INFINITY);
  return { digest, infoHash, principal, expiresAt: Number.isFinite(end) ? end : undefined };
}
