/**
 * What the API takes and answers, as JSON: docs/api.md. Sizes are bytes, instants ISO 8601. Answers
 * may have more fields than are named here.
 */

/** An error: RFC 9457. */
export interface ApiProblem {
  readonly title: string;
  readonly status: number;
  /** For people. */
  readonly detail: string;
  /** Stable, as is `reason`. */
  readonly code: string;
  readonly reason?: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

/** About the server. */
export interface ApiServer {
  readonly version: string;
  readonly publicUrl: string;
  readonly announceUrls: readonly string[];
  readonly isReady: boolean;
  readonly needsSetup: boolean;
  readonly tokenFile?: string;
}

/** How much the server takes part; what is absent is the named policy's own. */
export interface ApiPolicy {
  readonly policy: "fast" | "balanced" | "thrifty";
  readonly floor?: number;
  readonly minRateBytesPerSecond?: number;
  readonly egressBudgetBytes?: number;
  readonly onBudgetEnd: "serve-floor-only" | "stop" | "ignore";
  readonly deadline?: string;
}

/** A policy and its name: see `policyVersion`. */
export interface ApiHeldPolicy {
  readonly name: string;
  readonly policy: ApiPolicy;
  /** Another one after each change. Given with a change, that is refused if it is outdated. */
  readonly policyVersion: string;
}

/** A change of it: what is left out stays, what is null is the named policy's own again. */
export type ApiPolicyChange = { readonly [Name in keyof ApiPolicy]?: ApiPolicy[Name] | null };

/** To whom a publication is offered. */
export type ApiCatalogue = "public" | "members" | "private";

/** Who signed a publication's checksum list, and when by his own word. */
export interface ApiSignature {
  /** minisign's: `RW…`. */
  readonly publicKey: string;
  readonly trustedComment: string;
  readonly signedAt?: string;
}

/** A publication in a list. */
export interface ApiPublication {
  readonly name: string;
  readonly state: "uploading" | "hashing" | "published" | "withdrawn" | "removing";
  readonly createdAt: string;
  readonly catalogue: ApiCatalogue;
  readonly access?: "tracker" | "admitted" | "ticketed";
  readonly policy: ApiPolicy;
  /** As in `ApiHeldPolicy`. */
  readonly policyVersion: string;
  readonly infoHash?: string;
  readonly contentName?: string;
  readonly isDirectory?: boolean;
  readonly bytes?: number;
  readonly fileCount?: number;
  readonly publishedAt?: string;
  /** Absent when nobody signed it. */
  readonly signature?: ApiSignature;
  readonly pageUrl?: string;
  readonly torrentUrl?: string;
  readonly peers?: {
    readonly complete: number;
    readonly incomplete: number;
    readonly downloaded: number;
  };
  readonly withdrawn?: {
    readonly reason: string;
    readonly path?: string;
    readonly message: string;
  };
}

/** Some publications, newest first. */
export interface ApiPublications {
  readonly publications: readonly ApiPublication[];
  /** Path of the next page; absent on the last one. */
  readonly next?: string;
}

/** A published publication with its addresses. */
export interface ApiPublicationView extends ApiPublication {
  readonly infoHash: string;
  readonly contentName: string;
  readonly isDirectory: boolean;
  readonly bytes: number;
  readonly fileCount: number;
  readonly publishedAt: string;
  readonly pageUrl: string;
  readonly torrentUrl: string;
  readonly magnet?: string;
  readonly files: readonly {
    readonly path: readonly string[];
    readonly bytes: number;
    readonly sha256: string;
    readonly url?: string;
  }[];
}

/** Content to upload. */
export interface ApiPlan {
  readonly name?: string;
  readonly contentName: string;
  readonly isDirectory: boolean;
  readonly files: readonly {
    readonly path: readonly string[];
    readonly length: number;
    readonly sha256?: string;
  }[];
  readonly policy?: ApiPolicyChange;
  readonly access?: {
    readonly catalogue?: ApiCatalogue;
    readonly level?: NonNullable<ApiPublication["access"]>;
  };
  /** A .torrent file, in base64, whose info hash is kept: its files must be these. */
  readonly torrent?: string;
}

/** What lies on the server's own disk, to be published there. */
export interface ApiLocalPlan extends Pick<ApiPlan, "name" | "policy" | "access" | "torrent"> {
  /** Absolute. */
  readonly path: string;
}

/** How far an upload is: for each file the offset to go on from. */
export interface ApiUpload {
  readonly name: string;
  readonly receivedBytes: readonly number[];
}

/** The end of a publishing. */
export interface ApiPublished {
  readonly event: "published";
  readonly infoHash: string;
  readonly name: string;
  readonly bytes: number;
  readonly pageUrl: string;
  readonly torrentUrl: string;
  readonly magnet?: string;
  readonly fileUrls: readonly string[];
}

/** A line of the answer to a publishing. */
export type ApiPublishLine =
  | { readonly event: "progress"; readonly bytes: number; readonly total: number }
  | ApiPublished
  | ({ readonly event: "error" } & ApiProblem);
