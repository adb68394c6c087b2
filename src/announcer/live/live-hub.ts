/** What can be watched, and who watches it. */
import { BtPublisherError } from "../../base/errors.ts";
import type { UnixMillis } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ContentService } from "../../ports/content-service.ts";
import type { AnnouncerControlLink } from "../../ports/tracker-control.ts";
import type { LiveDetail, LiveOverview } from "../../protocol/api/live.ts";
import type { HeldState } from "../../protocol/control/participation.ts";
import { detailDelta, overviewDelta } from "./deltas.ts";
import { Latest } from "./latest.ts";
import { type LiveEnd, LiveFeed, type LiveReader } from "./live-feed.ts";
import { DetailMaker, type KnownPublication, OverviewMaker } from "./live-states.ts";

/** What the hub works with. */
export interface LiveHubDependencies {
  readonly clock: Clock;
  readonly content: Pick<ContentService, "watch" | "watchPublication">;
  readonly control: Pick<AnnouncerControlLink, "states">;
  /** The newest publications in any state, newest first. */
  readonly publications: () => Promise<readonly KnownPublication[]>;
  /** One of them. Rejects with NOT_FOUND. */
  readonly publication: (name: string) => Promise<KnownPublication>;
}

/** Whose overview it is. */
export interface LiveViewer {
  /** Those of one name see the same publications. */
  readonly name: string;
  readonly maySee: (publication: KnownPublication) => boolean;
}

/** Streams of one account. */
const MAX_READERS_OF_ONE = 20;
/** Streams of all together. */
const MAX_READERS = 200;
/** When somebody over the limit may come again, in seconds. */
const RETRY_AFTER_S = 10;

/** A feed of any kind. */
type AnyFeed = Pick<LiveFeed<unknown, unknown>, "add" | "remove" | "close">;

export class LiveHub {
  readonly #dependencies: LiveHubDependencies;
  /** By what is watched, while somebody does. */
  readonly #feeds = new Map<string, AnyFeed>();
  /** Streams by account. */
  readonly #counts = new Map<string, number>();
  #total = 0;

  constructor(dependencies: LiveHubDependencies) {
    this.#dependencies = dependencies;
  }

  /** Tells `reader` of everything. @returns what ends that. @throws DENIED over the limit. */
  watch(reader: LiveReader, account: string, viewer: LiveViewer): () => void {
    return this.#join(reader, account, `overview ${viewer.name}`, (onIdle) => {
      const states = () => this.#overviews(viewer.maySee);
      return new LiveFeed({ states, deltaOf: overviewDelta }, this.#dependencies.clock, onIdle);
    });
  }

  /** The same of one publication; NOT_FOUND is told by the reader's end. */
  watchPublication(reader: LiveReader, account: string, name: string): () => void {
    return this.#join(reader, account, `publication ${name}`, (onIdle) => {
      const states = () => this.#details(name);
      return new LiveFeed({ states, deltaOf: detailDelta }, this.#dependencies.clock, onIdle);
    });
  }

  /** Ends all streams. */
  close(reason: LiveEnd = "closing"): void {
    for (const feed of this.#feeds.values()) feed.close(reason);
    this.#feeds.clear();
  }

  #join(
    reader: LiveReader,
    account: string,
    key: string,
    open: (onIdle: () => void) => AnyFeed,
  ): () => void {
    this.#count(account);
    const feed =
      this.#feeds.get(key) ??
      open(() => {
        if (this.#feeds.get(key) === feed) this.#feeds.delete(key);
      });
    this.#feeds.set(key, feed);
    feed.add(reader);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      feed.remove(reader);
      this.#total--;
      const left = (this.#counts.get(account) ?? 0) - 1;
      if (left > 0) this.#counts.set(account, left);
      else this.#counts.delete(account);
    };
  }

  #count(account: string): void {
    const count = this.#counts.get(account) ?? 0;
    if (count >= MAX_READERS_OF_ONE || this.#total >= MAX_READERS) {
      const message = "too many streams are open: close some";
      throw new BtPublisherError("DENIED", message, {
        detail: { reason: "TOO_MANY_STREAMS", retryAfter: RETRY_AFTER_S },
      });
    }
    this.#counts.set(account, count + 1);
    this.#total++;
  }

  async *#overviews(maySee: LiveViewer["maySee"]): AsyncIterable<LiveOverview> {
    const { content, clock, publications } = this.#dependencies;
    const known = new Latest(async () => (await publications()).filter(maySee));
    const maker = new OverviewMaker();
    try {
      for await (const look of content.watch()) {
        yield maker.make(await known.get(), look, look.at);
      }
    } catch {
      // The SourceNode is away; what is published is known all the same.
      yield maker.make(await known.get(), undefined, clock.unixNow());
    }
  }

  async *#details(name: string): AsyncIterable<LiveDetail> {
    const { content, publication } = this.#dependencies;
    const timeline = new Timeline(this.#dependencies.control);
    const known = new Latest(async () => {
      const found = await publication(name);
      return { found, states: await timeline.of(found) };
    });
    const maker = new DetailMaker();
    for await (const look of content.watchPublication(name)) {
      const { found, states } = await known.get();
      yield maker.make(found, look, states);
    }
  }
}

/** The states of one publication; asked for only when there is a new one. */
class Timeline {
  readonly #control: LiveHubDependencies["control"];
  #since: UnixMillis | undefined;
  #states: readonly HeldState[] = [];

  constructor(control: LiveHubDependencies["control"]) {
    this.#control = control;
  }

  /** While the Tracker is away it is what was known last. */
  async of({ content, counts }: KnownPublication): Promise<readonly HeldState[]> {
    const since = counts?.participation?.since;
    if (content === undefined || since === undefined || since === this.#since) return this.#states;
    try {
      this.#states = await this.#control.states(content.infoHash);
      this.#since = since;
    } catch {
      // The next look asks again.
    }
    return this.#states;
  }
}
