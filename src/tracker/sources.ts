/**
 * The SourceNodes that the Tracker knows: who they are, what they serve, when they were last heard.
 * One that lost its link is remembered until handing it out is in vain (see handout.ts).
 */
import { type IpBytes, isLoopbackIp, parseIp } from "../base/ip-address.ts";
import type { InfoHash, Millis } from "../base/units.ts";
import type { KnownSource, SourceHello, SourceStatus } from "../ports/tracker-control.ts";
import { decideHandout, type HandoutDecision, REPORTS_MISSING_MS } from "./handout.ts";

/** One SourceNode. Only `Sources` changes it. */
export interface Source {
  hello: SourceHello;
  /** The address that its link comes from. */
  seenAt: string;
  /** The link that it is connected by; a newer link of the same source replaces an older one. */
  link: object | undefined;
  lastHeardAt: Millis;
  status: SourceStatus | undefined;
  readonly serving: Set<InfoHash>;
}

/** Who asks for a source's address. */
export interface Asker {
  readonly address: IpBytes;
  /** The address of ours that the asker reached; undefined behind a proxy. */
  readonly reachedAt: IpBytes | undefined;
}

export class Sources {
  readonly #byId = new Map<string, Source>();
  readonly #byTorrent = new Map<InfoHash, Set<Source>>();

  /** `link` is any object that stands for the connection. What the source served, it still does. */
  attach(now: Millis, link: object, { hello, seenAt }: Pick<Source, "hello" | "seenAt">): Source {
    let source = this.#byId.get(hello.sourceId);
    if (source === undefined) {
      const serving = new Set<InfoHash>();
      source = { hello, seenAt, link, lastHeardAt: now, status: undefined, serving };
      this.#byId.set(hello.sourceId, source);
    }
    source.hello = hello;
    source.seenAt = seenAt;
    source.link = link;
    source.lastHeardAt = now;
    return source;
  }

  /** The link is gone. Does nothing when a newer link has taken its place. */
  detach(source: Source, link: object): void {
    if (source.link === link) source.link = undefined;
  }

  /** `source` says that it serves a torrent. */
  serve(now: Millis, source: Source, infoHash: InfoHash): void {
    source.lastHeardAt = now;
    source.serving.add(infoHash);
    const sources = this.#byTorrent.get(infoHash);
    if (sources === undefined) this.#byTorrent.set(infoHash, new Set([source]));
    else sources.add(source);
  }

  report(now: Millis, source: Source, status: SourceStatus): void {
    source.lastHeardAt = now;
    source.status = status;
  }

  /** Nobody serves that torrent any more. */
  drop(infoHash: InfoHash): void {
    for (const source of this.of(infoHash)) source.serving.delete(infoHash);
    this.#byTorrent.delete(infoHash);
  }

  /** The sources of a torrent, connected or not. */
  of(infoHash: InfoHash): Iterable<Source> {
    return this.#byTorrent.get(infoHash) ?? [];
  }

  connectedCount(infoHash: InfoHash): number {
    let count = 0;
    for (const source of this.of(infoHash)) if (source.link !== undefined) count++;
    return count;
  }

  /** Forgets sources that are not handed out any more. */
  forgetGone(now: Millis): void {
    for (const [sourceId, source] of this.#byId) {
      if (handoutOf(now, source).handOut) continue;
      this.#byId.delete(sourceId);
      for (const infoHash of source.serving) {
        const sources = this.#byTorrent.get(infoHash);
        sources?.delete(source);
        if (sources?.size === 0) this.#byTorrent.delete(infoHash);
      }
    }
  }

  /** All of them, as an Announcer sees them. */
  known(now: Millis): readonly KnownSource[] {
    return [...this.#byId.values()].map((source) => ({
      sourceId: source.hello.sourceId,
      publicUrl: source.hello.publicUrl,
      peerAddress: { host: source.hello.peerHost ?? source.seenAt, port: source.hello.peerPort },
      isAlive: source.link !== undefined && now - source.lastHeardAt <= REPORTS_MISSING_MS,
      status: source.status,
    }));
  }
}

/** The Tracker's decision about one source at `now`. */
export function handoutOf(now: Millis, source: Source): HandoutDecision {
  const silentMs = now - source.lastHeardAt;
  return decideHandout({ isConnected: source.link !== undefined, silentMs });
}

/**
 * Where `asker` reaches `source`; undefined when no address is known that could work. A source that
 * did not say its address and runs beside the Tracker is reached where the asker reached us.
 */
export function addressFor(source: Source, asker: Asker): IpBytes | undefined {
  const { peerHost } = source.hello;
  if (peerHost !== undefined) return parseIp(peerHost);
  const seenAt = parseIp(source.seenAt);
  if (seenAt === undefined) return undefined;
  if (!isLoopbackIp(seenAt) || isLoopbackIp(asker.address)) return seenAt;
  const { reachedAt } = asker;
  return reachedAt === undefined || isLoopbackIp(reachedAt) ? undefined : reachedAt;
}
