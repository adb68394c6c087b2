/**
 * Reads content for sending, in the main thread: one positional scatter read per file touched. What
 * is in the page cache is read synchronously, the rest by the thread pool (see disk-read-pace.ts).
 */
import { readv, readvSync } from "node:fs";
import { join } from "node:path";
import { BtPublisherError } from "../../base/errors.ts";
import { Descriptor, DescriptorCache } from "./disk-descriptors.ts";
import { diskError } from "./disk-error.ts";
import { ReadPace } from "./disk-read-pace.ts";

/** Where to read: `position` in the file at `path` below `base`. */
export interface ReadPlace {
  readonly base: string;
  readonly path: string;
  /** Byte offset in the file. */
  readonly position: number;
}

/** Opens a file to read from; undefined when there is none. The descriptor is the caller's. */
export type OpenFile = (base: string, path: string) => Promise<number | undefined>;

/** Reads files through a bounded set of descriptors. */
export class DiskReader {
  readonly #open: OpenFile;
  readonly #descriptors: DescriptorCache;
  /** Files that are being opened, so that each is opened once. */
  readonly #opening = new Map<string, Promise<void>>();
  readonly #pace = new ReadPace();

  /** Keeps at most `capacity` files open, besides those that are being read. */
  constructor(capacity: number, open: OpenFile) {
    this.#open = open;
    this.#descriptors = new DescriptorCache(capacity);
  }

  /**
   * Fills `views`, one after the other, from `place` on; undefined when that is done already.
   * Rejects with BtPublisherError STORAGE_IO, also when the file is missing or ends too early.
   */
  read(place: ReadPlace, views: readonly Uint8Array[]): Promise<void> | undefined {
    const full = join(place.base, place.path);
    const descriptor = this.#descriptors.get(full);
    if (descriptor === undefined || !this.#pace.mayBlock) return this.#readRest(place, full, views);
    try {
      const bytes = this.#readNow(descriptor.fd, views, place.position);
      const rest = viewsAfter(views, bytes);
      if (rest.length === 0) return undefined;
      const position = place.position + bytes;
      return this.#readRest({ ...place, position }, full, rest);
    } catch (error) {
      return Promise.reject(this.#readError(error, full));
    }
  }

  async #readRest(place: ReadPlace, full: string, views: readonly Uint8Array[]): Promise<void> {
    const descriptor = this.#held(full) ?? (await this.#openHeld(place, full));
    try {
      for (let rest = views, { position } = place; rest.length > 0; ) {
        const bytes = await readLater(descriptor.fd, rest, position);
        if (bytes === 0) throw shortFile(full);
        rest = viewsAfter(rest, bytes);
        position += bytes;
      }
    } catch (error) {
      throw this.#readError(error, full);
    } finally {
      descriptor.letGo();
    }
  }

  #readError(error: unknown, full: string): BtPublisherError {
    // Whatever is wrong with this file, the next read shall look at it anew.
    this.#descriptors.drop(full);
    return diskError(error, "read", full);
  }

  /** Lets go of the files at and below `path`; "" is everything. */
  release(path: string): void {
    this.#descriptors.dropUnder(path);
  }

  #held(full: string): Descriptor | undefined {
    const descriptor = this.#descriptors.get(full);
    descriptor?.hold();
    return descriptor;
  }

  async #openHeld(place: ReadPlace, full: string): Promise<Descriptor> {
    for (;;) {
      let opening = this.#opening.get(full);
      if (opening === undefined) {
        opening = this.#addFile(place, full).finally(() => this.#opening.delete(full));
        this.#opening.set(full, opening);
      }
      await opening;
      // Another file may have pushed this one out again before we came to hold it.
      const descriptor = this.#held(full);
      if (descriptor !== undefined) return descriptor;
    }
  }

  async #addFile(place: ReadPlace, full: string): Promise<void> {
    const fd = await this.#open(place.base, place.path);
    if (fd === undefined) throw shortFile(full);
    this.#descriptors.add(full, new Descriptor(fd, "read"));
  }

  #readNow(fd: number, views: readonly Uint8Array[], position: number): number {
    const startedAt = performance.now();
    const bytes = readvSync(fd, views, position);
    this.#pace.heard(performance.now() - startedAt, bytes);
    return bytes;
  }
}

function readLater(fd: number, views: readonly Uint8Array[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    readv(fd, views, position, (error, bytes) => {
      if (error === null) resolve(bytes);
      else reject(error);
    });
  });
}

/** What is left of `views` after their first `bytes` bytes. */
function viewsAfter(views: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skip = bytes;
  let first = 0;
  while (first < views.length && skip >= (views[first] as Uint8Array).length) {
    skip -= (views[first] as Uint8Array).length;
    first++;
  }
  if (first === views.length) return [];
  return [(views[first] as Uint8Array).subarray(skip), ...views.slice(first + 1)];
}

function shortFile(path: string): BtPublisherError {
  return new BtPublisherError(
    "STORAGE_IO",
    `cannot read ${JSON.stringify(path)}: it is missing or shorter than it should be; ` +
      "check it against the torrent",
    { detail: { path } },
  );
}
