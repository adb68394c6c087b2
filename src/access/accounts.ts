/** Accounts, their passwords and tokens. A token's text is told once and kept as a digest only. */
import { BtPublisherError } from "../base/errors.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import type { UnixMillis } from "../base/units.ts";
import type { ApiToken, Scope, UserAccount, UserRole } from "../ports/access-store.ts";
import { LoginThrottle } from "./login-throttle.ts";
import { type Principal, scopesOfRole } from "./principal.ts";
import { Sessions, type SessionsDependencies } from "./sessions.ts";

/** What accounts are kept with. */
export interface AccountsDependencies extends SessionsDependencies {
  /** What is wrong with the wall clock, and what to do; undefined: nothing that shows. */
  readonly findClockFault?: (() => string | undefined) | undefined;
}

/** A token that was made, with its text. */
export interface MadeToken {
  readonly record: ApiToken;
  /** Told now and never again. */
  readonly text: string;
}

/** Longest life of a token: a year. */
export const MAX_TOKEN_LIFE_MS = 366 * 24 * 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** How long a token lives when nothing else is said. */
export const TOKEN_LIFE_MS = 90 * DAY_MS;

/** NIST SP 800-63B, section 3.1.1: length is what counts. */
const MIN_PASSWORD_LENGTH = 12;
const MAX_PASSWORD_LENGTH = 1024;

const TOKEN = /^btpt_([0-9a-f]{16})_[\w-]{43}$/;
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** What the audit log calls those that have no account. */
const RESERVED = new Set(["server", "anonymous"]);

/** How exact `lastUsedAt` is: not every request is worth a write. */
const LAST_USE_MS = 60_000;

export class Accounts {
  readonly sessions: Sessions;
  readonly #dependencies: AccountsDependencies;
  readonly #throttle = new LoginThrottle();
  readonly #lock = new KeyedLock();

  constructor(dependencies: AccountsDependencies) {
    this.#dependencies = dependencies;
    this.sessions = new Sessions(dependencies);
  }

  /** @throws USAGE for a bad name or password; CONFLICT when the name is taken. */
  async add(wanted: {
    readonly name: string;
    readonly role: UserRole;
    readonly password: string | undefined;
  }): Promise<UserAccount> {
    const { store, secrets, clock } = this.#dependencies;
    const { name, role, password } = wanted;
    if (!NAME.test(name) || RESERVED.has(name)) {
      const message = `${JSON.stringify(name)} is no name for a user: use lower-case letters, digits, '.', '_', '-'`;
      throw new BtPublisherError("USAGE", message);
    }
    const user = {
      id: secrets.randomHex(8),
      name,
      role,
      passwordHash: password === undefined ? undefined : await this.#hash(password),
      createdAt: clock.unixNow(),
      isDisabled: false,
    };
    await store.addUser(user);
    return user;
  }

  /** @throws NOT_FOUND */
  async need(name: string): Promise<UserAccount> {
    const user = await this.#dependencies.store.userByName(name);
    if (user !== undefined && !RESERVED.has(name)) return user;
    throw new BtPublisherError("NOT_FOUND", "there is no such user", { detail: { name } });
  }

  /**
   * Changes what is given, which ends all sessions; another password also ends all tokens.
   * @throws NOT_FOUND, USAGE
   */
  change(
    name: string,
    change: {
      readonly role?: UserRole | undefined;
      readonly isDisabled?: boolean | undefined;
      readonly password?: string | undefined;
    },
  ): Promise<UserAccount> {
    return this.#lock.run(`account ${name}`, async () => {
      const user = await this.need(name);
      const { role = user.role, isDisabled = user.isDisabled, password } = change;
      const passwordHash = password === undefined ? user.passwordHash : await this.#hash(password);
      const changed = { ...user, role, isDisabled, passwordHash };
      await this.#dependencies.store.updateUser(changed);
      if (password !== undefined) await this.revokeTokens(user);
      await this.sessions.endAll(user);
      return changed;
    });
  }

  /** Whether somebody can administer this server with an account. */
  async hasMaintainer(): Promise<boolean> {
    const users = await this.all();
    return users.some(({ role, isDisabled }) => role === "maintainer" && !isDisabled);
  }

  /** What accounts are called, by id. */
  async names(): Promise<ReadonlyMap<string, string>> {
    return new Map((await this.all()).map(({ id, name }) => [id, name]));
  }

  /** By name. */
  async all(): Promise<readonly UserAccount[]> {
    const users = await this.#dependencies.store.users();
    return users.filter(({ name }) => !RESERVED.has(name));
  }

  /**
   * The user whose password it is. All failures take as long and say the same.
   * @throws DENIED; with `retryAfter` in its detail (seconds) when too many failed before.
   */
  login(name: string, password: string, address: string): Promise<UserAccount> {
    const subjects = [`address ${address}`, `name ${name.slice(0, 64)}`] as const;
    // One after the other, or all that come at once would be free.
    return this.#lock.run(subjects[0], () =>
      this.#lock.run(subjects[1], () => this.#login(name, password, subjects)),
    );
  }

  async #login(name: string, password: string, subjects: readonly string[]): Promise<UserAccount> {
    const { store, secrets, clock } = this.#dependencies;
    const waitMs = this.#throttle.waitMs(clock.now(), subjects);
    if (waitMs > 0) {
      const retryAfter = Math.ceil(waitMs / 1000);
      const message = `too many wrong passwords: try again in ${retryAfter} s`;
      throw new BtPublisherError("DENIED", message, {
        detail: { reason: "TOO_MANY_ATTEMPTS", retryAfter },
      });
    }
    const user = await store.userByName(name);
    const isRight = await secrets.isPassword(
      password.slice(0, MAX_PASSWORD_LENGTH),
      user?.passwordHash,
    );
    if (isRight && user !== undefined && !user.isDisabled) {
      this.#throttle.handleSuccess(subjects);
      return user;
    }
    this.#throttle.handleFailure(clock.now(), subjects);
    const message = "the name or the password is wrong";
    throw new BtPublisherError("DENIED", message, { detail: { reason: "BAD_PASSWORD" } });
  }

  /**
   * @throws USAGE when the role may not have such a token, or it would live too long; UNAVAILABLE
   * while the wall clock is wrong.
   */
  async makeToken(
    user: UserAccount,
    wanted: { readonly scopes: readonly Scope[] | undefined; readonly expiresAt: UnixMillis },
  ): Promise<MadeToken> {
    const { store, secrets, clock, findClockFault } = this.#dependencies;
    const fault = findClockFault?.();
    if (fault !== undefined) throw new BtPublisherError("UNAVAILABLE", fault);
    const createdAt = clock.unixNow();
    const { scopes = scopesOfRole[user.role], expiresAt } = wanted;
    const foreign = scopes.find((scope) => !scopesOfRole[user.role].includes(scope));
    if (foreign !== undefined || scopes.length === 0) {
      const message = `a token of a ${user.role} may be for ${scopesOfRole[user.role].join(", ")}`;
      throw new BtPublisherError("USAGE", message);
    }
    if (expiresAt <= createdAt || expiresAt > createdAt + MAX_TOKEN_LIFE_MS) {
      throw new BtPublisherError("USAGE", "a token must end in the future, within a year");
    }
    const id = secrets.randomHex(8);
    const text = `btpt_${id}_${secrets.randomText()}`;
    const record = {
      id,
      userId: user.id,
      digest: secrets.keyedDigest("token", text),
      scopes: [...new Set(scopes)],
      createdAt,
      expiresAt,
      lastUsedAt: undefined,
      revokedAt: undefined,
    };
    await store.addToken(record);
    return { record, text };
  }

  /** Idempotent. @throws NOT_FOUND */
  async revokeToken(id: string): Promise<void> {
    const { store, clock } = this.#dependencies;
    const token = await store.tokenById(id);
    if (token === undefined) throw new BtPublisherError("NOT_FOUND", "there is no such token");
    if (token.revokedAt === undefined) await store.revokeToken(id, clock.unixNow());
  }

  /** Ends all tokens of `user`. */
  async revokeTokens(user: UserAccount): Promise<void> {
    for (const { id } of await this.#dependencies.store.tokens(user.id)) await this.revokeToken(id);
  }

  /** Who shows the token `text`; undefined when it is none, or good no more. */
  async authenticate(text: string): Promise<Principal | undefined> {
    const { store, secrets, clock } = this.#dependencies;
    const id = TOKEN.exec(text)?.[1];
    const token = id === undefined ? undefined : await store.tokenById(id);
    const digest = secrets.keyedDigest("token", text);
    const now = clock.unixNow();
    if (token === undefined || !secrets.isEqual(digest, token.digest)) return undefined;
    if (token.revokedAt !== undefined || token.expiresAt <= now) return undefined;
    const user = await store.userById(token.userId);
    if (user === undefined || user.isDisabled) return undefined;
    if (now - (token.lastUsedAt ?? 0) >= LAST_USE_MS) await store.touchToken(token.id, now);
    const { scopes, expiresAt: endsAt } = token;
    return { type: "user", user, scopes, grants: await store.grants(user.id), endsAt };
  }

  #hash(password: string): Promise<string> {
    const { length } = password;
    if (length < MIN_PASSWORD_LENGTH || length > MAX_PASSWORD_LENGTH) {
      const message = `a password has ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters`;
      throw new BtPublisherError("USAGE", message);
    }
    return this.#dependencies.secrets.hashPassword(password);
  }
}
