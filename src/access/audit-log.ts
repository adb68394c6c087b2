/**
 * The audit log: who did what, when, with which outcome. Append-only: each entry's hash is made
 * over the one before, so that what was changed or left out later shows.
 */
import type { AccessStore, AuditEntry } from "../ports/access-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { Secrets } from "../ports/secrets.ts";

/** What happened; the log adds number, time and hash. */
export type AuditFact = Omit<AuditEntry, "number" | "at" | "hash">;

/** What an entry follows from. */
type Tail = Pick<AuditEntry, "number" | "hash">;

/** What a log is kept with. */
export interface AuditLogDependencies {
  readonly store: Pick<AccessStore, "audit" | "appendAudit">;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

/** Of texts that strangers choose, this much is kept. */
const MAX_TEXT_LENGTH = 200;
/** What the first entry follows. */
const nothing: Tail = { number: 0, hash: "0".repeat(64) };
const PAGE_LENGTH = 1000;

export class AuditLog {
  readonly #dependencies: AuditLogDependencies;
  /** The last entry, while it is known. */
  #last: Tail | undefined;
  /** Entries are written one after the other. Never rejects. */
  #work: Promise<void> = Promise.resolve();

  constructor(dependencies: AuditLogDependencies) {
    this.#dependencies = dependencies;
  }

  /** Writes an entry. @throws what the store throws; the next one is then written all the same. */
  async append(fact: AuditFact): Promise<void> {
    const written = this.#work.then(() => this.#write(fact));
    this.#work = written.catch(() => undefined);
    await written;
  }

  /** Newest first, those before `before`, at most `limit`. */
  page(page: { readonly limit: number; readonly before?: number | undefined }) {
    return this.#dependencies.store.audit(page);
  }

  /** The number of the newest entry that does not follow from the one before it; undefined: none. */
  async findBreak(): Promise<number | undefined> {
    let after: AuditEntry | undefined;
    for (let before: number | undefined; ; before = after?.number) {
      const page = await this.page({ limit: PAGE_LENGTH, before });
      for (const entry of page) {
        if (after !== undefined && !this.#follows(after, entry)) return after.number;
        after = entry;
      }
      if (page.length < PAGE_LENGTH) break;
    }
    const isWhole = after === undefined || this.#follows(after, nothing);
    return isWhole ? undefined : after?.number;
  }

  async #write(fact: AuditFact): Promise<void> {
    const { store, clock } = this.#dependencies;
    const last = this.#last ?? (await this.page({ limit: 1 })).at(0) ?? nothing;
    // What fails may have been written all the same.
    this.#last = undefined;
    const { actor, action, outcome } = fact;
    const texts = { subject: cut(fact.subject), address: cut(fact.address) };
    const at = clock.unixNow();
    const plain = { number: last.number + 1, at, actor, action, ...texts, outcome };
    const entry = { ...plain, hash: this.#hashOf(last.hash, plain) };
    await store.appendAudit(entry);
    this.#last = entry;
  }

  #follows(entry: AuditEntry, before: Tail): boolean {
    return entry.number === before.number + 1 && entry.hash === this.#hashOf(before.hash, entry);
  }

  #hashOf(before: string, entry: Omit<AuditEntry, "hash">): string {
    const { number, at, actor, action, subject, outcome, address } = entry;
    const fields = [before, number, at, actor, action, subject, outcome, address];
    return this.#dependencies.secrets.digest(JSON.stringify(fields));
  }
}

function cut(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, "").slice(0, MAX_TEXT_LENGTH);
}
