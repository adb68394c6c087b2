/**
 * The files door as an HTTP server sees it: it decides each answer, the server reads and writes
 * the bytes and tells what it sent.
 */
import type { FileStamp } from "./content-storage.ts";

/** Where the door begins. */
export const FILES_PREFIX = "/files/";
/** The same files for BitTorrent clients (BEP 19), which are sent to the swarm when it can help. */
export const WEB_SEED_PREFIX = "/webseed/";

/** What a request says, as far as it matters here. */
export interface FilesRequest {
  readonly method: string;
  /** The request target as sent, query included. */
  readonly target: string;
  /** Values by lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The client's address without its port. */
  readonly remoteHost: string;
}

/** Bytes of a file, to send after the head. */
export interface FileBody {
  /** Path on disk. */
  readonly path: string;
  /** How the file must look, before and while it is sent; else `onChanged`, and nothing more. */
  readonly stamp: FileStamp;
  /** Bytes of the file: `start` ≤ … < `end`. */
  readonly start: number;
  readonly end: number;
  /** Whether the client may have more of it; asked before each read. */
  readonly mayGoOn: () => boolean;
  /** `length` bytes from file position `position` on have left. */
  readonly onSent: (position: number, length: number) => void;
  /** The file is missing or looks different. */
  readonly onChanged: () => void;
  /** It cannot be opened or read, for a reason that has nothing to do with its content. */
  readonly onFailed: (message: string) => void;
}

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** Complete, Content-Length included. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A short answer. Its text is not to be sent in answer to HEAD. */
export interface TextAnswer extends AnswerHead {
  readonly type: "text";
  readonly text: string;
}

/** A file, which is not to be sent in answer to HEAD, but to be looked at all the same. */
export interface FileAnswer extends AnswerHead {
  readonly type: "file";
  readonly body: FileBody;
}

export interface FilesDoor {
  answer(request: FilesRequest): TextAnswer | FileAnswer;
  /** The answer when a file cannot be opened, or is not what was published. */
  unavailable(): TextAnswer;
}
