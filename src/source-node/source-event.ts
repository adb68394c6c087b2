/** What happens in a SourceNode that an operator wants to see. */
import type { InfoHash } from "../base/units.ts";
import type { PeerClosed } from "../runtime/torrent-setup.ts";

/** Why a publication is not served at the moment. It is looked at again every minute. */
export type WithdrawalReason =
  /** A file is not there, or cannot be read. */
  | { readonly code: "file-missing"; readonly path: string }
  /** A file is not as it was when it was hashed, and its bytes are (or may be) others. */
  | { readonly code: "file-changed"; readonly path: string }
  /** It was to be unpublished, and could not be deleted. */
  | { readonly code: "not-removed" };

export type SourceEvent =
  | { readonly type: "published"; readonly name: string; readonly infoHash: InfoHash }
  | { readonly type: "unpublished"; readonly name: string; readonly infoHash: InfoHash }
  /** Not served any more: see the reason. */
  | {
      readonly type: "withdrawn";
      readonly name: string;
      readonly infoHash: InfoHash;
      readonly reason: WithdrawalReason;
    }
  /** Served again after a withdrawal: the files are what was published. */
  | { readonly type: "restored"; readonly name: string; readonly infoHash: InfoHash }
  /** A publication's folder cannot be read: it is left alone and not served. */
  | { readonly type: "publication-damaged"; readonly name: string; readonly message: string }
  /** The Tracker did not take the registration; it is said again. */
  | { readonly type: "register-failed"; readonly name: string; readonly message: string }
  /** The ledger cannot be written or read; serving goes on. */
  | { readonly type: "ledger-failed"; readonly infoHash: InfoHash; readonly message: string }
  /** A store of content failed while it was being served. */
  | { readonly type: "storage-failed"; readonly name: string; readonly message: string }
  /** A peer's connection is over; often, so for whoever looks for a fault. */
  | { readonly type: "peer-closed"; readonly name: string; readonly closed: PeerClosed }
  /** An upload that nobody went on with was dropped. */
  | { readonly type: "upload-expired"; readonly name: string };

/** The text of something caught. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
