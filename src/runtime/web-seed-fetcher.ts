/**
 * Gets runs of blocks from web seeds (BEP 19) by HTTP ranges. One fetch may cross several files;
 * they are asked for one after the other. Bytes are copied once, from the read buffer to their
 * place in the piece buffer.
 */
import { assert } from "../base/assert.ts";
import type { CopyBytes } from "../base/bytes.ts";
import type { FetchOutcome } from "../engine/webseed/web-seeds.ts";
import type { HttpClient, HttpResponseHead } from "../ports/http-client.ts";
import { type FileSpan, fileSpans } from "../protocol/metainfo/file-spans.ts";
import type { Info } from "../protocol/metainfo/metainfo.ts";
import type { BlockRef } from "../protocol/metainfo/piece-geometry.ts";
import { webSeedUrl } from "../protocol/metainfo/web-seed-url.ts";

/** What a fetch tells the runner. */
export interface FetchHandler {
  /** Where `block` goes, or undefined to drop it. */
  wantsBlock(fetchId: number, block: BlockRef): Uint8Array | undefined;
  handleBlock(fetchId: number, block: BlockRef, wasKept: boolean): void;
  handleReadEnd(): void;
  /** Not called after `cancel`. */
  handleEnd(fetchId: number, outcome: FetchOutcome): void;
}

/** Longest rest that a server may ask for by Retry-After. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;

export class WebSeedFetcher {
  readonly #info: Info;
  readonly #urls: readonly string[];
  readonly #http: HttpClient;
  readonly #handler: FetchHandler;
  readonly #copy: CopyBytes;
  readonly #fetches = new Map<number, RangeFetch>();

  constructor(
    info: Info,
    urls: readonly string[],
    ports: { readonly http: HttpClient; readonly copy: CopyBytes },
    handler: FetchHandler,
  ) {
    this.#info = info;
    this.#urls = urls;
    this.#http = ports.http;
    this.#copy = ports.copy;
    this.#handler = handler;
  }

  /** Begins fetch `fetchId`: adjacent `blocks` from web seed number `webSeed`. */
  fetch(fetchId: number, webSeed: number, blocks: readonly BlockRef[]): void {
    const base = this.#urls[webSeed];
    assert(base !== undefined, `no web seed number ${webSeed}`);
    const sink = new BlockSink(fetchId, blocks, this.#handler, this.#copy);
    const fetch = new RangeFetch(this.#info, base, this.#http, {
      blocks,
      sink,
      onEnd: (outcome) => {
        this.#fetches.delete(fetchId);
        this.#handler.handleEnd(fetchId, outcome);
      },
    });
    this.#fetches.set(fetchId, fetch);
    fetch.next();
  }

  cancel(fetchId: number): void {
    this.#fetches.get(fetchId)?.cancel();
    this.#fetches.delete(fetchId);
  }
}

/** Cuts a stream of bytes into the blocks of a run. */
class BlockSink {
  readonly #fetchId: number;
  readonly #blocks: readonly BlockRef[];
  readonly #handler: FetchHandler;
  readonly #copy: CopyBytes;
  #at = 0;
  #target: Uint8Array | undefined;
  #filled = 0;

  constructor(
    fetchId: number,
    blocks: readonly BlockRef[],
    handler: FetchHandler,
    copy: CopyBytes,
  ) {
    this.#copy = copy;
    this.#fetchId = fetchId;
    this.#blocks = blocks;
    this.#handler = handler;
  }

  /** Takes the next bytes; those beyond the run are ignored. */
  write(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) {
      const block = this.#blocks[this.#at];
      if (block === undefined) return;
      if (this.#filled === 0) this.#target = this.#handler.wantsBlock(this.#fetchId, block);
      const count = Math.min(block.length - this.#filled, bytes.length - offset);
      if (this.#target !== undefined) {
        this.#copy(bytes.subarray(offset, offset + count), this.#target, this.#filled);
      }
      this.#filled += count;
      offset += count;
      if (this.#filled === block.length) this.#finish(block);
    }
  }

  #finish(block: BlockRef): void {
    const wasKept = this.#target !== undefined;
    this.#target = undefined;
    this.#filled = 0;
    this.#at++;
    this.#handler.handleBlock(this.#fetchId, block, wasKept);
  }

  readEnd(): void {
    this.#handler.handleReadEnd();
  }
}

/** One run of content, span by span. */
class RangeFetch {
  readonly #info: Info;
  readonly #base: string;
  readonly #http: HttpClient;
  readonly #sink: BlockSink;
  readonly #onEnd: (outcome: FetchOutcome) => void;
  readonly #spans: readonly FileSpan[];
  #at = 0;
  #request: { cancel(): void } | undefined;
  #isOver = false;

  constructor(
    info: Info,
    base: string,
    http: HttpClient,
    run: {
      readonly blocks: readonly BlockRef[];
      readonly sink: BlockSink;
      readonly onEnd: (outcome: FetchOutcome) => void;
    },
  ) {
    this.#info = info;
    this.#base = base;
    this.#http = http;
    this.#sink = run.sink;
    this.#onEnd = run.onEnd;
    const first = run.blocks[0] as BlockRef;
    const last = run.blocks[run.blocks.length - 1] as BlockRef;
    const { geometry, files } = info;
    const offset = geometry.offsetOf(first.pieceIndex) + first.begin;
    const end = geometry.offsetOf(last.pieceIndex) + last.begin + last.length;
    this.#spans = fileSpans(files, offset, end - offset);
  }

  /** Asks for the next span, or ends. */
  next(): void {
    while (!this.#isOver) {
      const span = this.#spans[this.#at++];
      if (span === undefined) return this.#end({ type: "done" });
      if (this.#info.files[span.fileIndex]?.isPad !== true) return this.#ask(span);
      this.#sink.write(new Uint8Array(span.length));
    }
  }

  #ask(span: FileSpan): void {
    const last = span.position + span.length - 1;
    let received = 0;
    this.#request = this.#http.get(
      {
        url: webSeedUrl(this.#base, this.#info, span.fileIndex),
        headers: { range: `bytes=${span.position}-${last}` },
        maxBytes: span.length,
      },
      {
        onHead: (head) => this.#checkHead(head, span),
        onData: (bytes) => {
          received += bytes.length;
          this.#sink.write(bytes);
          this.#sink.readEnd();
        },
        onEnd: () => {
          if (received === span.length) this.next();
          else this.#end(failed);
        },
        onError: () => this.#end(failed),
      },
    );
  }

  cancel(): void {
    this.#isOver = true;
    this.#request?.cancel();
  }

  /** Only an answer of exactly the bytes that we asked for is of use. */
  #checkHead(head: HttpResponseHead, span: FileSpan): boolean {
    if (head.status === 206) {
      const range = /^bytes (\d+)-(\d+)\//.exec(head.headers["content-range"] ?? "");
      if (Number(range?.[1]) === span.position) return true;
    }
    const length = Number(head.headers["content-length"] ?? Number.NaN);
    if (head.status === 200 && span.position === 0 && length === span.length) return true;
    this.#end({ type: "failed", retryAfterMs: retryAfter(head) });
    return false;
  }

  #end(outcome: FetchOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd(outcome);
  }
}

const failed: FetchOutcome = { type: "failed", retryAfterMs: undefined };

/** Retry-After in seconds; its form as a date is not worth a clock here. */
function retryAfter(head: HttpResponseHead): number | undefined {
  const seconds = Number(head.headers["retry-after"] ?? Number.NaN);
  if (!Number.isFinite(seconds) || seconds < 0) return undefined;
  return Math.min(seconds * 1000, MAX_RETRY_AFTER_MS);
}
