/** What the Announcer knows of its publications; durable. */
import type { InfoHash, UnixMillis } from "../base/units.ts";
import type { AccessLevel } from "../protocol/control/access-values.ts";
import type { PublicationPolicy } from "./publication-policy.ts";

export type { PolicyName, PublicationPolicy } from "./publication-policy.ts";
export type { AccessLevel } from "../protocol/control/access-values.ts";

/** To whom a publication is offered: everybody, every account, or those with a grant. */
export type CatalogueName = "public" | "members" | "private";

/** Who may get a publication. */
export interface PublicationAccess {
  readonly catalogue: CatalogueName;
  /** How far it is enforced; without meaning for public ones. */
  readonly level: AccessLevel;
  /** The user who published it; undefined: the server's own token did. */
  readonly ownerId: string | undefined;
}

/** What everybody may get. */
export const publicAccess: PublicationAccess = {
  catalogue: "public",
  level: "tracker",
  ownerId: undefined,
};

/** A publication in whatever state of its life. */
export interface Publication {
  /** Unique lower-case slug. */
  readonly name: string;
  readonly state: "uploading" | "hashing" | "published" | "removing";
  readonly createdAt: UnixMillis;
  readonly policy: PublicationPolicy;
  readonly access: PublicationAccess;
  /** Set once published. */
  readonly content: PublicationContent | undefined;
  /** One request brings and publishes it: when that ends before, nothing of it stays. */
  readonly endsWithRequest?: boolean;
}

/** A file of published content; `path` as in the metainfo, `sha256` in lower-case hexadecimal. */
export interface PublishedFile {
  readonly path: readonly string[];
  readonly length: number;
  readonly sha256: string;
}

/** What a publication consists of. */
export interface PublicationContent {
  readonly infoHash: InfoHash;
  /** The bencoded info dictionary. */
  readonly info: Uint8Array;
  readonly contentName: string;
  readonly isDirectory: boolean;
  readonly contentLength: number;
  readonly files: readonly PublishedFile[];
  readonly publishedAt: UnixMillis;
  /** Absent until its publisher signs it. */
  readonly signature?: PublicationSignature;
}

/** A publisher's signature of a publication's checksum list, verified when it was taken. */
export interface PublicationSignature {
  /** In the text form of minisign: `RW…`. */
  readonly publicKey: string;
  readonly trustedComment: string;
  /** By the signer's clock; absent when the trusted comment does not say. */
  readonly signedAt?: UnixMillis;
  /** The .minisig file. */
  readonly file: string;
}

/** A publication as lists show it: without what may be megabytes (piece hashes, file lists). */
export interface PublicationSummary {
  readonly name: string;
  readonly state: Publication["state"];
  readonly createdAt: UnixMillis;
  readonly policy: PublicationPolicy;
  readonly access: PublicationAccess;
  readonly content:
    | (Omit<PublicationContent, "info" | "files"> & { readonly fileCount: number })
    | undefined;
}

/** What a list shows of `publication`. */
export function summaryOf(publication: Publication): PublicationSummary {
  const { content, ...head } = publication;
  if (content === undefined) return { ...head, content };
  const { info: _info, files, ...rest } = content;
  return { ...head, content: { ...rest, fileCount: files.length } };
}

/** Which part of the catalogue a list shows. */
export interface CataloguePage {
  /** At most so many. Default 100. */
  readonly limit?: number;
  /** Those created before. Default: all. */
  readonly before?: UnixMillis;
  /** Those whose name, or whose content's name, has this in it, whatever the case of a … z. */
  readonly text?: string;
}

/** Publications by name; at most one has a given info hash. */
export interface Catalogue {
  /** @throws CONFLICT when the name, or the content's info hash, exists. */
  create(publication: Publication): Promise<void>;
  get(name: string): Promise<Publication | undefined>;
  findByInfoHash(infoHash: InfoHash): Promise<Publication | undefined>;
  /** Newest first. Creation times are distinct, so that the last one's leads to the next page. */
  list(page?: CataloguePage): Promise<readonly PublicationSummary[]>;
  /** Replaces the record of that name. @throws NOT_FOUND; CONFLICT as `create`. */
  update(publication: Publication): Promise<void>;
  /** Idempotent. */
  remove(name: string): Promise<void>;
}

/** All publications, newest first, without holding more than a page of them. */
export async function* everyPublication(catalogue: Catalogue): AsyncIterable<PublicationSummary> {
  let before: UnixMillis | undefined;
  do {
    const page = await catalogue.list(before === undefined ? {} : { before });
    yield* page;
    before = page.at(-1)?.createdAt;
  } while (before !== undefined);
}
