/** What the Announcer knows of its publications; durable. */
import type { InfoHash, UnixMillis } from "../base/units.ts";
import type { Registration } from "./tracker-control.ts";

/** How much the server takes part; the numbers behind the names are the participation controller's. */
export type PolicyName = "fast" | "balanced" | "thrifty";

/** A publication's policy as its publisher set it. */
export interface PublicationPolicy {
  readonly policy: PolicyName;
  readonly floor: number | undefined;
  readonly minRateBytesPerSecond: number | undefined;
  readonly egressBudgetBytes: number | undefined;
  readonly onBudgetEnd: "serve-floor-only" | "stop" | "ignore";
  readonly deadline: UnixMillis | undefined;
}

export interface Publication {
  /** Unique lower-case slug. */
  readonly name: string;
  readonly state: "uploading" | "hashing" | "published" | "removing";
  readonly createdAt: UnixMillis;
  readonly policy: PublicationPolicy;
  /** Set once published. */
  readonly content: PublicationContent | undefined;
}

export interface PublicationContent {
  readonly infoHash: InfoHash;
  readonly info: Uint8Array;
  readonly contentName: string;
  readonly isDirectory: boolean;
  readonly contentLength: number;
  readonly files: readonly {
    readonly path: readonly string[];
    readonly length: number;
    readonly sha256: string;
  }[];
  readonly publishedAt: UnixMillis;
}

export interface Catalogue {
  /** @throws CONFLICT when the name exists. */
  create(publication: Publication): Promise<void>;
  get(name: string): Promise<Publication | undefined>;
  findByInfoHash(infoHash: InfoHash): Promise<Publication | undefined>;
  /** Newest first; `limit` at most 100. */
  list(page?: {
    readonly limit: number;
    readonly before?: UnixMillis;
  }): Promise<readonly Publication[]>;
  /** Replaces the record of that name. @throws NOT_FOUND. */
  update(publication: Publication): Promise<void>;
  /** Idempotent. */
  remove(name: string): Promise<void>;
}

/** The Tracker's durable side. */
export interface RegistrationStore {
  put(registration: Registration): Promise<void>;
  remove(infoHash: InfoHash): Promise<void>;
  all(): Promise<readonly Registration[]>;
  /** Adds to the count of completed downloads; may be written late. */
  addDownloaded(infoHash: InfoHash, count: number): Promise<void>;
  downloaded(infoHash: InfoHash): Promise<number>;
}
