/**
 * The files door as an HTTP server sees it: it decides each answer, the server reads and writes
 * the bytes and tells what it sent.
 */
import type { FileStamp } from "./content-storage.ts";

/** Where the door begins. */
export const FILES_PREFIX = "/files/";

/** What a request says, as far as it matters here. */
export interface FilesRequest {
  readonly method: string;
  /** The request target as sent, query included; begins with FILES_PREFIX. */
  readonly target: string;
  /** Values by lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The client's address without its port. */
  readonly remoteHost: string;
}

/** Bytes of a file, to send after the head. */
export interface FileBody {
  readonly type: "file";
  /** Path on disk. */
  readonly path: string;
  /** How the file must look, before and while it is sent; else `onChanged`, and nothing more. */
  readonly stamp: FileStamp;
  /** Bytes of the file: `start` ≤ … < `end`. */
  readonly start: number;
  readonly end: number;
  /** `length` bytes from file position `position` on have left. */
  readonly onSent: (position: number, length: number) => void;
  /** The file is missing or looks different. */
  readonly onChanged: () => void;
}

/** How to answer. */
export interface FilesAnswer {
  readonly status: number;
  /** Complete, Content-Length included. */
  readonly headers: Readonly<Record<string, string>>;
  /** Not to be sent in answer to HEAD; a file is looked at all the same. */
  readonly body: FileBody | { readonly type: "text"; readonly text: string };
}

export interface FilesDoor {
  answer(request: FilesRequest): FilesAnswer;
  /** The answer when a file cannot be opened, or is not what was published. */
  unavailable(): FilesAnswer;
}
