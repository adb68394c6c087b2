/** What the Announcer tells whoever runs it: for logs and for `serve --json`. */
import type { InfoHash } from "../base/units.ts";

/** Something happened to a publication, or to the Announcer itself. */
export type AnnouncerEvent =
  /** The catalogue agrees with what the SourceNode holds: publishing is possible. */
  | { readonly type: "reconciled" }
  | { readonly type: "source-unreachable"; readonly message: string }
  | { readonly type: "published"; readonly name: string; readonly infoHash: InfoHash }
  | { readonly type: "publish-failed"; readonly name: string; readonly message: string }
  | { readonly type: "unpublished"; readonly name: string }
  | { readonly type: "unpublish-failed"; readonly name: string; readonly message: string }
  /** The SourceNode holds it and the catalogue had lost it. */
  | { readonly type: "adopted"; readonly name: string }
  /** The catalogue has it and the SourceNode does not hold it. */
  | { readonly type: "content-missing"; readonly name: string };
