/**
 * Looks after the files of publications: one that looks different than when it was hashed is not
 * served, until it is seen or proven to be what was published. So a file that somebody edits under
 * a running source is withdrawn, and one that was merely restored or touched comes back by itself.
 */
import type { Millis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ContentInspector, ContentTree } from "../ports/content-inspector.ts";
import type { FileStamp, PublicationStore } from "../ports/content-storage.ts";
import type { Publication } from "./publication.ts";
import type { OpenStore, ServedPublications } from "./served-publications.ts";
import { messageOf, type SourceEvent, type WithdrawalReason } from "./source-event.ts";

/** Pause between two looks at all files. */
const PAUSE_MS: Millis = 60_000;
/** Looking takes at most a twentieth of the time, however many files there are. */
const PAUSE_PER_LOOK = 20;

/** What the watch works with. */
export interface ContentWatchDependencies {
  readonly clock: Clock;
  readonly inspector: ContentInspector;
  readonly publications: PublicationStore;
  readonly openStore: OpenStore;
  readonly served: ServedPublications;
  readonly onEvent: (event: SourceEvent) => void;
}

/** How files look, compared to when they were hashed. */
type Look =
  | { readonly type: "same" }
  | { readonly type: "gone"; readonly reason: WithdrawalReason }
  /** As long as before, and modified since: only their hash can tell. */
  | {
      readonly type: "touched";
      readonly reason: WithdrawalReason;
      readonly stamps: readonly FileStamp[];
    };

/** See the head of this file. */
export class ContentWatch {
  readonly #dependencies: ContentWatchDependencies;
  /** Looks that turned out to be other content: not hashed again until they change. */
  readonly #disproved = new WeakMap<Publication, readonly FileStamp[]>();
  readonly #signal = { aborted: false };
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(dependencies: ContentWatchDependencies) {
    this.#dependencies = dependencies;
  }

  /** Looks at everything now, and then again and again. */
  start(): void {
    this.#looking = this.#lookAtAll();
  }

  /** Resolves when the look under way is over. */
  async settled(): Promise<void> {
    await this.#looking;
  }

  async close(): Promise<void> {
    this.#signal.aborted = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  /** A door found that a file changed: it is withdrawn at once, and looked at again later. */
  async report(publication: Publication, path: string): Promise<void> {
    await this.#dependencies.served.withdraw(publication, { code: "file-changed", path });
  }

  async #lookAtAll(): Promise<void> {
    const { clock, served } = this.#dependencies;
    const startedAt = clock.now();
    const touched = new Map<Publication, readonly FileStamp[]>();
    for (const publication of served.all) {
      await this.#tell(publication, async () => {
        const stamps = await this.#settle(publication);
        if (stamps !== undefined) touched.set(publication, stamps);
      });
    }
    // Last, since it may take hours: what is in order must not wait for it.
    for (const [publication, stamps] of touched) {
      await this.#tell(publication, () => this.#restore(publication, stamps));
    }
    if (this.#signal.aborted) return;
    const pauseMs = Math.max(PAUSE_MS, PAUSE_PER_LOOK * (clock.now() - startedAt));
    this.#timer = clock.setTimer(pauseMs, () => this.start());
  }

  /** Does `work`, unless it is too late for it, and tells when it fails. */
  async #tell(publication: Publication, work: () => Promise<void>): Promise<void> {
    if (this.#signal.aborted) return;
    try {
      await work();
    } catch (cause) {
      if (this.#signal.aborted) return;
      const message = messageOf(cause);
      const { name } = publication;
      this.#dependencies.onEvent({ type: "storage-failed", name, message });
    }
  }

  /** Serves or withdraws it. @returns how its files look when only their hash can tell. */
  async #settle(publication: Publication): Promise<readonly FileStamp[] | undefined> {
    const { served } = this.#dependencies;
    const look = await this.#look(publication);
    if (look.type === "same") {
      await served.serve(publication);
      return undefined;
    }
    await served.withdraw(publication, look.reason);
    return look.type === "touched" ? look.stamps : undefined;
  }

  async #restore(publication: Publication, stamps: readonly FileStamp[]): Promise<void> {
    const { served } = this.#dependencies;
    if (!(await this.#proves(publication, stamps))) return;
    await served.restamp(publication, stamps);
    await served.serve(publication);
  }

  async #look(publication: Publication): Promise<Look> {
    const tree = this.#treeOf(publication);
    const found = await this.#dependencies.inspector.stamps(tree);
    let touched: WithdrawalReason | undefined;
    for (const [i, expected] of publication.stored.stamps.entries()) {
      const stamp = found[i];
      const path = this.#dependencies.publications.filePath(publication.content, i);
      if (stamp === undefined) return { type: "gone", reason: { code: "file-missing", path } };
      const reason: WithdrawalReason = { code: "file-changed", path };
      if (stamp.length !== expected.length) return { type: "gone", reason };
      if (stamp.modifiedAt !== expected.modifiedAt) touched ??= reason;
    }
    if (touched === undefined) return { type: "same" };
    return { type: "touched", reason: touched, stamps: found as readonly FileStamp[] };
  }

  /** Whether the files, which look like `stamps`, still hash to what was published. */
  async #proves(publication: Publication, stamps: readonly FileStamp[]): Promise<boolean> {
    const disproved = this.#disproved.get(publication);
    if (disproved !== undefined && areSameStamps(disproved, stamps)) return false;
    const { inspector, openStore } = this.#dependencies;
    const tree = this.#treeOf(publication);
    const store = await openStore(tree.path, publication.info);
    try {
      const isProven = (await store.check({ signal: this.#signal })).isFull;
      // Modified while it was being hashed: the next look decides.
      if (!areSameStamps(await inspector.stamps(tree), stamps)) return false;
      if (!isProven) this.#disproved.set(publication, stamps);
      return isProven;
    } finally {
      await store.close();
    }
  }

  #treeOf(publication: Publication): ContentTree {
    const { content } = publication;
    const { contentName, isDirectory, files } = content;
    const path = this.#dependencies.publications.contentPath(content);
    return { path, contentName, isDirectory, files };
  }
}

/** Whether two looks at the same files saw the same. */
export function areSameStamps(
  a: readonly (FileStamp | undefined)[],
  b: readonly (FileStamp | undefined)[],
): boolean {
  return (
    a.length === b.length &&
    a.every(
      (stamp, i) =>
        stamp !== undefined &&
        stamp.length === b[i]?.length &&
        stamp.modifiedAt === b[i]?.modifiedAt,
    )
  );
}
