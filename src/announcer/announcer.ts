/**
 * The Announcer: the web server's mind. It keeps the catalogue, leads publishing over the
 * SourceNode's content service, and hands out the .torrent files, magnets and addresses by which
 * downloaders start. It never touches content itself.
 */
import { createHash } from "node:crypto";
import { BtPublisherError, unwrap } from "../base/errors.ts";
import type { UnixMillis } from "../base/units.ts";
import type {
  Catalogue,
  CataloguePage,
  Publication,
  PublicationContent,
  PublicationSignature,
  PublicationSummary,
} from "../ports/catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentService, LedgerEntry, Withdrawal } from "../ports/content-service.ts";
import type {
  AnnouncerControlLink,
  KnownSource,
  SwarmCounts,
  SwarmReport,
} from "../ports/tracker-control.ts";
import type { HeldState } from "../protocol/control/participation.ts";
import { encodeMetainfo } from "../protocol/metainfo/create.ts";
import { parseInfo } from "../protocol/metainfo/parse.ts";
import { checksumList } from "../protocol/signature/checksum-list.ts";
import { encodePublicKey } from "../protocol/signature/minisign-format.ts";
import { type SigningCrypto, signedAtOf, verifyTexts } from "../protocol/signature/minisign.ts";
import type { AnnouncerEvent } from "./announcer-event.ts";
import {
  announceTiers,
  fileUrl,
  magnetLink,
  type Places,
  pageUrl,
  ticketUrl,
  torrentUrl,
  webSeedUrls,
} from "./links.ts";
import { LiveHub } from "./live/live-hub.ts";
import type { KnownPublication } from "./live/live-states.ts";
import { Publications } from "./publications.ts";
import type { PublishingProgress } from "./publish-jobs.ts";
import { Surroundings } from "./surroundings.ts";
import { Withdrawals } from "./withdrawals.ts";

/** What an Announcer works with. */
export interface AnnouncerAdapters {
  readonly catalogue: Catalogue;
  readonly content: ContentService;
  readonly control: AnnouncerControlLink;
  readonly clock: Clock;
  readonly signing: SigningCrypto;
  readonly onEvent: (event: AnnouncerEvent) => void;
}

/** How an Announcer is reached. */
export interface AnnouncerOptions {
  /** Base URL of its pages as the world reaches them, without a slash at the end. */
  readonly publicUrl: string;
}

/** A published publication in a list. */
export interface ListedPublication extends PublicationSummary {
  readonly counts: SwarmCounts | undefined;
  /** Set while the SourceNode does not serve it. */
  readonly withdrawal: Withdrawal | undefined;
}

/** A publication with all that downloaders need. */
export interface PublicationView {
  readonly publication: Publication & { readonly content: PublicationContent };
  readonly pageUrl: string;
  readonly torrentUrl: string;
  /** Undefined unless it is for everybody: a magnet link has no passkey, and no private flag. */
  readonly magnet: string | undefined;
  /** Absolute, one for each file in the content's order; empty while no SourceNode is known. */
  readonly fileUrls: readonly string[];
  readonly counts: SwarmCounts | undefined;
  /** Set while the SourceNode does not serve it. */
  readonly withdrawal: Withdrawal | undefined;
}

/** What the system does for a publication right now. */
export interface PublicationStatus {
  readonly publication: PublicationSummary;
  readonly counts: SwarmCounts | undefined;
  /** Of those SourceNodes that serve it. */
  readonly sources: readonly {
    readonly source: KnownSource;
    readonly swarm: SwarmReport;
  }[];
  /** Set while the SourceNode does not serve it. */
  readonly withdrawal: Withdrawal | undefined;
  /** Set while it is hashed. */
  readonly progress: PublishingProgress | undefined;
}

/** A file to hand out. */
export interface TorrentDownload {
  readonly bytes: Uint8Array;
  /** For HTTP: changes whenever the bytes do. */
  readonly etag: string;
  /** Set while the SourceNode does not serve what it is for. */
  readonly withdrawal: Withdrawal | undefined;
}

/** Publications of an overview: the newest. */
const MAX_LIVE = 500;

/** The role. `start` once, `close` once. */
export class Announcer {
  readonly publications: Publications;
  readonly publicUrl: string;
  readonly clock: Clock;
  /** What happens, as it happens. */
  readonly live: LiveHub;
  readonly #adapters: AnnouncerAdapters;
  readonly #surroundings: Surroundings;
  readonly #withdrawals: Withdrawals;

  constructor(adapters: AnnouncerAdapters, options: AnnouncerOptions) {
    this.publicUrl = options.publicUrl;
    this.#adapters = adapters;
    this.#surroundings = new Surroundings(adapters.control, adapters.clock);
    this.#withdrawals = new Withdrawals(adapters.content, adapters.clock);
    this.publications = new Publications(adapters);
    this.clock = adapters.clock;
    this.live = new LiveHub({
      ...adapters,
      publications: async () => (await this.list({ limit: MAX_LIVE })).map(this.#withProgress),
      publication: async (name) => {
        const { publication, ...about } = await this.status(name);
        return { ...publication, ...about };
      },
    });
  }

  start(): Promise<void> {
    return this.publications.start();
  }

  /** Stops timers and lets go of the control link; the other adapters are their owner's. */
  async close(): Promise<void> {
    this.publications.close();
    this.live.close();
    await this.#adapters.control.close();
  }

  /** Announce URLs as they go into .torrent files now; empty while the Tracker was never seen. */
  async announceUrls(): Promise<readonly string[]> {
    return (await this.#surroundings.look()).announceUrls;
  }

  /** SourceNodes as the Tracker knows them. */
  async sources(): Promise<readonly KnownSource[]> {
    return (await this.#surroundings.look()).sources;
  }

  /** Every publication in whatever state, newest first; paged as `Catalogue.list`. */
  async list(page: CataloguePage = {}): Promise<readonly ListedPublication[]> {
    const summaries = await this.#adapters.catalogue.list(page);
    const infoHashes = summaries.flatMap(({ content }) => content?.infoHash ?? []);
    const [counts, withdrawals] = await Promise.all([
      this.#surroundings.counts(infoHashes),
      this.#withdrawals.look(),
    ]);
    return summaries.map((summary) => {
      const infoHash = summary.content?.infoHash;
      return {
        ...summary,
        counts: infoHash === undefined ? undefined : counts.get(infoHash),
        withdrawal: withdrawals.get(summary.name),
      };
    });
  }

  /** @throws NOT_FOUND unless `name` is published. */
  async view(name: string): Promise<PublicationView> {
    const publication = await this.#published(name);
    const { content } = publication;
    const subject = { ...content, name };
    const [places, counts, withdrawals] = await Promise.all([
      this.#places(),
      this.#surroundings.counts([content.infoHash]),
      this.#withdrawals.look(),
    ]);
    const base = places.sourceUrls[0];
    return {
      publication,
      pageUrl: pageUrl(this.publicUrl, name),
      torrentUrl: torrentUrl(this.publicUrl, name),
      magnet: publication.access.catalogue === "public" ? magnetLink(places, subject) : undefined,
      fileUrls:
        base === undefined ? [] : content.files.map(({ path }) => fileUrl(base, subject, path)),
      counts: counts.get(content.infoHash),
      withdrawal: withdrawals.get(name),
    };
  }

  /** The record of `name` in whatever state. */
  find(name: string): Promise<Publication | undefined> {
    return this.#adapters.catalogue.get(name);
  }

  /**
   * Keeps a signature of the checksum list as it is now. `texts` are as minisign writes them.
   * @throws NOT_FOUND; CONFLICT; USAGE for what is no key; BAD_SIGNATURE.
   */
  sign(
    name: string,
    texts: { readonly publicKey: string; readonly signature: string },
  ): Promise<PublicationSignature> {
    return this.publications.sign(name, (content) => {
      const list = new TextEncoder().encode(checksumList(content));
      const { key, trustedComment } = unwrap(verifyTexts(list, texts, this.#adapters.signing));
      const signedAt = signedAtOf(trustedComment);
      return {
        publicKey: encodePublicKey(key),
        trustedComment,
        ...(signedAt !== undefined && { signedAt }),
        file: texts.signature,
      };
    });
  }

  /**
   * The .torrent file with today's addresses; `passkey` makes it one user's own.
   * @throws NOT_FOUND; UNAVAILABLE without a Tracker.
   */
  async torrent(name: string, passkey?: string): Promise<TorrentDownload> {
    const publication = await this.#published(name);
    const { content } = publication;
    const places = await this.#places();
    if (places.announceUrls.length === 0) {
      throw new BtPublisherError("UNAVAILABLE", "the Tracker has not been reached yet: try again");
    }
    const bytes = encodeMetainfo({
      infoRaw: content.info,
      announceTiers: announceTiers(places.announceUrls, passkey),
      ...(publication.access.level === "ticketed" && {
        ticketUrl: ticketUrl(places.announceUrls, passkey),
      }),
      webSeeds: webSeedUrls(places.sourceUrls, { ...content, name }),
      comment: pageUrl(this.publicUrl, name),
      createdBy: "BTPublisher",
      creationDate: Math.floor(publication.createdAt / 1000),
    });
    const withdrawal = (await this.#withdrawals.look()).get(name);
    return { bytes, etag: `"${createHash("sha256").update(bytes).digest("hex")}"`, withdrawal };
  }

  /** @throws NOT_FOUND when there is no publication `name` in any state. */
  async status(name: string): Promise<PublicationStatus> {
    const publication = await this.#adapters.catalogue.get(name);
    if (publication === undefined) throw noSuchPublication(name);
    const { content } = publication;
    const progress = this.publications.progressOf(name);
    if (content === undefined) {
      const nothing = { counts: undefined, sources: [], withdrawal: undefined };
      return { publication: { ...publication, content }, ...nothing, progress };
    }
    const { infoHash } = content;
    const [sources, counts, withdrawals] = await Promise.all([
      this.sources(),
      this.#surroundings.counts([infoHash]),
      this.#withdrawals.look(),
    ]);
    const { info: _info, files, ...summary } = content;
    return {
      publication: { ...publication, content: { ...summary, fileCount: files.length } },
      counts: counts.get(infoHash),
      sources: sources.flatMap((source) => {
        const swarm = source.status?.swarms.find((each) => each.infoHash === infoHash);
        return swarm === undefined ? [] : [{ source, swarm }];
      }),
      withdrawal: withdrawals.get(name),
      progress,
    };
  }

  /** The ledger, oldest first. @throws NOT_FOUND unless `name` is published. */
  async ledger(
    name: string,
    filter: { readonly since?: UnixMillis },
  ): Promise<AsyncIterable<LedgerEntry>> {
    await this.#published(name);
    return this.#adapters.content.ledger(name, filter);
  }

  /** The states that its swarm was in, oldest first. @throws NOT_FOUND; none without a Tracker. */
  async states(name: string): Promise<readonly HeldState[]> {
    const { content } = await this.#published(name);
    return this.#surroundings.states(content.infoHash);
  }

  /** @throws NOT_FOUND unless `name` is published. */
  async pieceCount(name: string): Promise<number> {
    const { content } = await this.#published(name);
    const sha1 = (bytes: Uint8Array) => createHash("sha1").update(bytes).digest();
    return unwrap(parseInfo(content.info, { sha1 })).geometry.pieceCount;
  }

  readonly #withProgress = (listed: ListedPublication): KnownPublication => {
    return { ...listed, progress: this.publications.progressOf(listed.name) };
  };

  async #published(name: string): Promise<Publication & { readonly content: PublicationContent }> {
    const publication = await this.#adapters.catalogue.get(name);
    if (publication?.state !== "published" || publication.content === undefined) {
      throw noSuchPublication(name);
    }
    return { ...publication, content: publication.content };
  }

  async #places(): Promise<Places> {
    const { announceUrls, sources } = await this.#surroundings.look();
    const alive = sources.filter((source) => source.isAlive);
    const sourceUrls = (alive.length > 0 ? alive : sources).map((source) => source.publicUrl);
    return { publicUrl: this.publicUrl, announceUrls, sourceUrls };
  }
}

/** One text for what does not exist, is not published yet, or is not any more. */
function noSuchPublication(name: string): BtPublisherError {
  return new BtPublisherError("NOT_FOUND", "there is no such publication", { detail: { name } });
}
