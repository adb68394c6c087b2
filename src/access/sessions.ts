/**
 * Sessions of browsers: a random text in a cookie, kept as a digest only. A session may what its
 * account may, ends when nobody uses it for a while, and in any case on the same day.
 */
import type { Millis, UnixMillis } from "../base/units.ts";
import type { AccessStore, Session, UserAccount } from "../ports/access-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { Secrets } from "../ports/secrets.ts";
import { type Principal, scopesOfRole } from "./principal.ts";

/** A session without a request for this long is over (OWASP: 15 to 30 minutes for such servers). */
export const SESSION_IDLE_MS: Millis = 30 * 60 * 1000;
/** No session lives longer, however much it is used. */
export const SESSION_LIFE_MS: Millis = 12 * 60 * 60 * 1000;
/** How exact `lastSeenAt` is: not every request is worth a write. */
const LAST_SEEN_MS: Millis = 60_000;
/** Sessions of one account; the oldest ends for one more. */
const MAX_SESSIONS = 20;

const TEXT = /^[\w-]{43}$/;

/** What sessions are kept with. */
export interface SessionsDependencies {
  readonly store: AccessStore;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

/** A session that is good, and whose it is. */
export interface OpenSession {
  readonly principal: Extract<Principal, { readonly type: "user" }>;
  /** It ends then unless it is used before. */
  readonly idleEndsAt: UnixMillis;
  /** It ends then. */
  readonly endsAt: UnixMillis;
}

export class Sessions {
  readonly #dependencies: SessionsDependencies;

  constructor(dependencies: SessionsDependencies) {
    this.#dependencies = dependencies;
  }

  /** Begins a session of `user`. @returns its text, told now and never again, and the session. */
  async begin(user: UserAccount): Promise<{ readonly text: string; readonly open: OpenSession }> {
    const { store, secrets, clock } = this.#dependencies;
    const now = clock.unixNow();
    await store.removeSessionsBefore({
      createdAt: now - SESSION_LIFE_MS,
      lastSeenAt: now - SESSION_IDLE_MS,
    });
    const earlier = await store.sessions(user.id);
    for (const { digest } of earlier.slice(0, Math.max(0, earlier.length - MAX_SESSIONS + 1))) {
      await store.removeSession(digest);
    }
    const text = secrets.randomText();
    const digest = secrets.keyedDigest("session", text);
    const session = { digest, userId: user.id, createdAt: now, lastSeenAt: now };
    await store.addSession(session);
    return { text, open: await this.#opened(session, user) };
  }

  /** The session that `text` stands for; undefined when it is none, or over. */
  async find(text: string): Promise<OpenSession | undefined> {
    return (await this.#find(text))?.open;
  }

  /** The same, and it is used by that. */
  async authenticate(text: string): Promise<OpenSession | undefined> {
    const { store, clock } = this.#dependencies;
    const found = await this.#find(text);
    if (found === undefined) return undefined;
    const { session, open } = found;
    const now = clock.unixNow();
    if (now - session.lastSeenAt < LAST_SEEN_MS) return open;
    await store.touchSession(session.digest, now);
    return { ...open, idleEndsAt: Math.min(open.endsAt, now + SESSION_IDLE_MS) };
  }

  /** Idempotent. */
  async end(text: string): Promise<void> {
    const { store, secrets } = this.#dependencies;
    if (TEXT.test(text)) await store.removeSession(secrets.keyedDigest("session", text));
  }

  /** Ends all sessions of `user`. */
  async endAll(user: UserAccount): Promise<void> {
    const { store } = this.#dependencies;
    for (const { digest } of await store.sessions(user.id)) await store.removeSession(digest);
  }

  async #find(text: string): Promise<{ session: Session; open: OpenSession } | undefined> {
    const { store, secrets, clock } = this.#dependencies;
    if (!TEXT.test(text)) return undefined;
    const session = await store.session(secrets.keyedDigest("session", text));
    if (session === undefined || isOver(session, clock.unixNow())) return undefined;
    const user = await store.userById(session.userId);
    if (user === undefined || user.isDisabled) return undefined;
    return { session, open: await this.#opened(session, user) };
  }

  async #opened({ createdAt, lastSeenAt }: Session, user: UserAccount): Promise<OpenSession> {
    const grants = await this.#dependencies.store.grants(user.id);
    const principal = { type: "user", user, scopes: scopesOfRole[user.role], grants } as const;
    const endsAt = createdAt + SESSION_LIFE_MS;
    return { principal, endsAt, idleEndsAt: Math.min(endsAt, lastSeenAt + SESSION_IDLE_MS) };
  }
}

function isOver({ createdAt, lastSeenAt }: Session, now: UnixMillis): boolean {
  return now >= createdAt + SESSION_LIFE_MS || now >= lastSeenAt + SESSION_IDLE_MS;
}
