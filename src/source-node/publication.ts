/** One publication as a SourceNode holds it: what it is, whether it is served, what was sent. */
import type { InfoHash } from "../base/units.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { PublishedContent, Withdrawal } from "../ports/content-service.ts";
import type { FileStamp, StoredPublication } from "../ports/content-storage.ts";
import type { PublicationPolicy } from "../ports/publication-policy.ts";
import type { ContentFile, Info } from "../protocol/metainfo/metainfo.ts";
import type { WithdrawalReason } from "./source-event.ts";

/** Whether a publication is served. */
export type PublicationState =
  | { readonly name: "serving" }
  | { readonly name: "withdrawn"; readonly reason: WithdrawalReason }
  /** Unpublished; nothing may use it any more. */
  | { readonly name: "removed" };

/** A file of a publication. */
export interface ServedFile {
  readonly index: number;
  readonly file: ContentFile;
  readonly stamp: FileStamp;
}

/** See the head of this file. Its state is changed by `ServedPublications` only. */
export class Publication {
  readonly info: Info;
  readonly ledger: Ledger;
  state: PublicationState = { name: "serving" };
  /** Whether the Tracker has the registration. */
  isRegistered = false;
  #stored: StoredPublication;
  /** File indices by path below /files/NAME/; made at the first use. */
  #indices: ReadonlyMap<string, number> | undefined;

  constructor(stored: StoredPublication, info: Info, ledger: Ledger) {
    this.#stored = stored;
    this.info = info;
    this.ledger = ledger;
  }

  get stored(): StoredPublication {
    return this.#stored;
  }

  get content(): PublishedContent {
    return this.#stored.content;
  }

  get name(): string {
    return this.content.name;
  }

  get infoHash(): InfoHash {
    return this.info.infoHash;
  }

  /** Another policy; `ServedPublications` makes it last. */
  setPolicy(policy: PublicationPolicy): void {
    this.#stored = { ...this.#stored, content: { ...this.#stored.content, policy } };
  }

  /** Its files were found to look like this, and to be what was published. */
  setStamps(stamps: readonly FileStamp[]): void {
    this.#stored = { ...this.#stored, stamps };
  }

  /**
   * The file with the path `elements`, which begins with the content's name. Only what was
   * published is found, so that no path can lead anywhere else.
   */
  fileAt(elements: readonly string[]): ServedFile | undefined {
    // A separator inside an element would make two different paths one key.
    if (elements.some((element) => element.includes("/"))) return undefined;
    this.#indices ??= indicesByPath(this.info);
    const index = this.#indices.get(elements.join("/"));
    if (index === undefined) return undefined;
    const file = this.info.files[index];
    const stamp = this.#stored.stamps[index];
    return file && stamp && { index, file, stamp };
  }
}

/**
 * Why `publication` is not served, undefined when it is. The path told is the content's own: where
 * `contentPath` is on our disk is nobody else's business.
 */
export function withdrawalOf(
  { state, name, content }: Publication,
  contentPath: string,
): Withdrawal | undefined {
  if (state.name !== "withdrawn") return undefined;
  const { reason } = state;
  if (reason.code === "not-removed") return { name, reason: reason.code, path: undefined };
  const below = reason.path.startsWith(contentPath) ? reason.path.slice(contentPath.length) : "";
  const path = content.contentName + below.replaceAll("\\", "/");
  return { name, reason: reason.code, path };
}

function indicesByPath(info: Info): ReadonlyMap<string, number> {
  if (!info.isDirectory) return new Map([[info.name, 0]]);
  return new Map(info.files.map((file, i) => [[info.name, ...file.path].join("/"), i]));
}
