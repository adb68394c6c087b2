/**
 * The access model of one server, put together: who somebody is, what they may do, and what follows
 * from a change for the Tracker. The Announcer owns it; Tracker and SourceNode are told.
 */
import { BtPublisherError } from "../base/errors.ts";
import type { InfoHash, UnixMillis } from "../base/units.ts";
import type { Grant, GrantTarget, KeyFilter, Scope, UserAccount } from "../ports/access-store.ts";
import {
  type Catalogue,
  everyPublication,
  type Publication,
  type PublicationAccess,
} from "../ports/catalogue.ts";
import type { AccessUpdate } from "../protocol/control/access-values.ts";
import { AccessFeed, type PublishedSubjects } from "./access-feed.ts";
import { Accounts, type AccountsDependencies } from "./accounts.ts";
import { AuditLog } from "./audit-log.ts";
import {
  type Decision,
  decideAdmin,
  decideDownload,
  decideManage,
  decidePublish,
  decideStats,
  type PublicationSubject,
} from "./decisions.ts";
import { Passkeys } from "./passkeys.ts";
import { hasScope, nameOf, type Principal } from "./principal.ts";

/** What the access model works with. */
export interface AccessControlDependencies extends AccountsDependencies {
  readonly catalogue: Catalogue;
  /** The server's own token, which lies in its data folder. */
  readonly isOwnerToken: (token: string) => boolean;
  /** Tells the Tracker. @returns whether it knows everything now. */
  readonly tellTracker: (update: AccessUpdate) => Promise<boolean>;
}

/** Default grace of a rotation: who fetched a .torrent yesterday can finish today. */
export const ROTATION_GRACE_MS = 24 * 60 * 60 * 1000;

/** Only so long after the start can the first maintainer be made by the set-up token. */
export const SETUP_MS = 24 * 60 * 60 * 1000;

export class AccessControl {
  readonly accounts: Accounts;
  readonly audit: AuditLog;
  readonly #dependencies: AccessControlDependencies;
  readonly #passkeys: Passkeys;
  readonly #feed: AccessFeed;
  #setup: { readonly token: string; readonly endsAt: UnixMillis } | undefined;

  constructor(dependencies: AccessControlDependencies) {
    const { clock, secrets, tellTracker } = dependencies;
    this.#dependencies = dependencies;
    this.accounts = new Accounts(dependencies);
    this.audit = new AuditLog(dependencies);
    this.#passkeys = new Passkeys(dependencies);
    this.#feed = new AccessFeed({
      clock,
      name: secrets.randomHex(8),
      digestKey: secrets.digestKey,
      send: tellTracker,
      publications: () => this.#published(),
      keys: (filter, publications) => this.#passkeys.good(filter, publications),
    });
  }

  /** Tells the Tracker what is so; resolves after the first attempt. */
  start(): Promise<void> {
    return this.#feed.start();
  }

  /** Resolves when what is being told to the Tracker has been told, or could not be. */
  settled(): Promise<void> {
    return this.#feed.settled();
  }

  close(): void {
    this.#feed.close();
  }

  /** Who shows `token`; undefined when it is good for nobody. */
  async authenticate(token: string): Promise<Principal | undefined> {
    if (this.#dependencies.isOwnerToken(token)) return { type: "owner" };
    return this.accounts.authenticate(token);
  }

  /** Whether `principal` may publish or manage anything at all. */
  mayPublishSomething(principal: Principal): boolean {
    return hasScope(principal, "publish");
  }

  mayPublishInto(principal: Principal, access: PublicationAccess): Decision {
    return decidePublish(principal, access.catalogue, this.now());
  }

  mayDownload(principal: Principal, subject: PublicationSubject): boolean {
    return decideDownload(principal, subject, this.now()).isAllowed;
  }

  mayManage(principal: Principal, subject: PublicationSubject): boolean {
    return decideManage(principal, subject).isAllowed;
  }

  maySeeStats(principal: Principal, subject: PublicationSubject): boolean {
    return decideStats(principal, subject).isAllowed;
  }

  mayAdminister(principal: Principal): boolean {
    return decideAdmin(principal).isAllowed;
  }

  /**
   * Lets the address in by which `principal` asked for what is not public, before it announces.
   * @returns its passkey, known to the Tracker: with that the admission ends, too. Undefined: it needs
   * none.
   */
  async admit(
    principal: Principal,
    { access, content }: Pick<Publication, "access" | "content">,
    host: string,
  ): Promise<string | undefined> {
    if (content === undefined || access.catalogue === "public" || principal.type === "anonymous") {
      return undefined;
    }
    const { infoHash } = content;
    const user = await this.#keyHolder(principal);
    const { key, isNew } = await this.#passkeys.issue(user, infoHash);
    if (isNew) await this.#feed.refresh({ userId: user.id, infoHash });
    // Without an address: it is gone already, or a proxy did not say who it is.
    if (host !== "") await this.#feed.admit({ infoHash, host, principal: user.id });
    return key;
  }

  /** Publications came, went or changed. Never rejects. */
  publicationsChanged(): Promise<void> {
    return this.#feed.publicationsChanged();
  }

  /** Changes an account; what it may no more ends at once. @throws NOT_FOUND, USAGE */
  async changeUser(name: string, change: Parameters<Accounts["change"]>[1]): Promise<UserAccount> {
    const user = await this.accounts.change(name, change);
    await this.#feed.refresh({ userId: user.id });
    return user;
  }

  /** Ends an account with its tokens, grants and passkeys. @throws NOT_FOUND */
  async removeUser(name: string): Promise<void> {
    const user = await this.accounts.need(name);
    await this.#dependencies.store.removeUser(user.id);
    await this.#feed.refresh({ userId: user.id });
  }

  /** @throws NOT_FOUND; USAGE for a grant that means nothing. */
  async grant(wanted: {
    readonly user: string;
    readonly right: Grant["right"];
    readonly target: GrantTarget;
    readonly expiresAt: UnixMillis | undefined;
  }): Promise<Grant> {
    const { store, secrets, catalogue } = this.#dependencies;
    const user = await this.accounts.need(wanted.user);
    const { right, target, expiresAt } = wanted;
    const createdAt = this.now();
    if (right === "publish" && (target.type !== "catalogue" || user.role === "downloader")) {
      const message = "the right to publish is for publishers, and for a catalogue: --catalogue";
      throw new BtPublisherError("USAGE", message);
    }
    if (expiresAt !== undefined && expiresAt <= createdAt) {
      throw new BtPublisherError("USAGE", "a grant must end in the future");
    }
    if (target.type === "publication" && (await catalogue.get(target.name)) === undefined) {
      throw new BtPublisherError("NOT_FOUND", "there is no such publication", {
        detail: { name: target.name },
      });
    }
    const id = secrets.randomHex(8);
    const grant = { id, userId: user.id, right, target, createdAt, expiresAt };
    await store.addGrant(grant);
    await this.#feed.refresh({ userId: user.id });
    return grant;
  }

  /** Takes a grant back. @throws NOT_FOUND */
  async removeGrant(id: string): Promise<void> {
    const { store } = this.#dependencies;
    const grant = (await store.grants()).find((each) => each.id === id);
    if (grant === undefined) throw new BtPublisherError("NOT_FOUND", "there is no such grant");
    await store.removeGrant(id);
    await this.#feed.refresh({ userId: grant.userId });
  }

  /**
   * Has a user's keys end, for one torrent or for all, after `graceMs`. Whoever may download gets a
   * new key with the next .torrent. @returns how many. @throws NOT_FOUND
   */
  async rotateKeys(
    name: string,
    { infoHash, graceMs }: { readonly infoHash: InfoHash | undefined; readonly graceMs: number },
  ): Promise<number> {
    const user = await this.accounts.need(name);
    const filter: KeyFilter = { userId: user.id, infoHash };
    const count = await this.#passkeys.retire(filter, graceMs);
    await this.#feed.refresh(filter);
    return count;
  }

  /** A secret that makes the first maintainer, once; undefined when there is one already. */
  async openSetup(): Promise<string | undefined> {
    if (await this.accounts.hasMaintainer()) return undefined;
    const token = `btps_${this.#dependencies.secrets.randomText()}`;
    this.#setup = { token, endsAt: this.now() + SETUP_MS };
    return token;
  }

  /** Makes the first maintainer. @throws DENIED for a wrong, used or late token; USAGE, CONFLICT. */
  async setUp(token: string, wanted: { readonly name: string; readonly password: string }) {
    const setup = this.#setup;
    const isGood =
      setup !== undefined &&
      this.#dependencies.secrets.isEqual(token, setup.token) &&
      this.now() < setup.endsAt;
    if (!isGood) throw badSetup();
    // Gone before anything is awaited: two requests at once must not make two maintainers.
    this.#setup = undefined;
    try {
      if (await this.accounts.hasMaintainer()) throw badSetup();
      return await this.accounts.add({ ...wanted, role: "maintainer" });
    } catch (error) {
      this.#setup = setup;
      throw error;
    }
  }

  /** Writes into the audit log. */
  async record(
    principal: Principal | string,
    what: {
      readonly action: string;
      readonly subject: string;
      readonly outcome: "done" | "denied" | "failed";
      readonly address: string;
    },
  ): Promise<void> {
    const actor = typeof principal === "string" ? principal : nameOf(principal);
    await this.audit.append({ actor, ...what });
  }

  /** Tokens, of one user or of all. */
  tokens(userId?: string) {
    return this.#dependencies.store.tokens(userId);
  }

  /** Grants, of one user or of all. */
  grants(userId?: string) {
    return this.#dependencies.store.grants(userId);
  }

  /** A token for `user`, as `Accounts.makeToken`. @throws NOT_FOUND, USAGE */
  async makeToken(
    name: string,
    wanted: { readonly scopes: readonly Scope[] | undefined; readonly expiresAt: UnixMillis },
  ) {
    return this.accounts.makeToken(await this.accounts.need(name), wanted);
  }

  /** The publish token has keys like everybody: those of an account that only it uses. */
  async #keyHolder(principal: Exclude<Principal, { readonly type: "anonymous" }>) {
    if (principal.type === "user") return principal.user;
    const { store } = this.#dependencies;
    const known = await store.userById(OWNER_ID);
    if (known !== undefined) return known;
    const owner = {
      id: OWNER_ID,
      name: "server",
      role: "maintainer",
      passwordHash: undefined,
      createdAt: this.now(),
      isDisabled: false,
    } as const satisfies UserAccount;
    await store.addUser(owner).catch(async (error: unknown) => {
      // Another request was faster.
      if ((await store.userById(OWNER_ID)) === undefined) throw error;
    });
    return owner;
  }

  async #published(): Promise<PublishedSubjects> {
    const found = new Map<InfoHash, PublicationSubject>();
    for await (const publication of everyPublication(this.#dependencies.catalogue)) {
      const { state, content, name, createdAt, access } = publication;
      if (state !== "published" || content === undefined) continue;
      found.set(content.infoHash, { name, createdAt, access });
    }
    return found;
  }

  /** The wall clock, by which tokens and grants end. */
  now(): UnixMillis {
    return this.#dependencies.clock.unixNow();
  }
}

/** No random id is this one: those have 16 digits. */
const OWNER_ID = "server";

function badSetup(): BtPublisherError {
  const message = "this set-up link is not good (any more): restart the server for a new one";
  return new BtPublisherError("DENIED", message, { detail: { reason: "BAD_SETUP" } });
}
