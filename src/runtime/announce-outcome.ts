/** What comes of one announce, whichever way it travels. */
import type { AnnounceResponse } from "../protocol/tracker/http-parse-answer.ts";

/** See the head of this file. */
export type AnnounceOutcome =
  | { readonly type: "answered"; readonly response: AnnounceResponse }
  /** `isRefusal`: the tracker's own word. `message` is for people. */
  | { readonly type: "failed"; readonly message: string; readonly isRefusal: boolean };
