/**
 * A bounded set of open files, least recently used first to go, so that a torrent of a hundred
 * thousand files needs no more descriptors than one of three.
 */
import { closeSync } from "node:fs";
import { sep } from "node:path";
import type { FileAccess } from "./disk-open.ts";

/** An open file. Its number is valid until the cache is next used, or as long as it is held. */
export class Descriptor {
  readonly fd: number;
  readonly access: FileAccess;
  #holders = 0;
  #isRetired = false;

  /** Takes over `fd`, which is open. */
  constructor(fd: number, access: FileAccess) {
    this.fd = fd;
    this.access = access;
  }

  get isHeld(): boolean {
    return this.#holders > 0;
  }

  /** Keeps the file open until as many calls of `letGo`. */
  hold(): void {
    this.#holders++;
  }

  letGo(): void {
    this.#holders--;
    this.#closeIfUnused();
  }

  /** Closes the file as soon as nobody holds it. Call once. */
  retire(): void {
    this.#isRetired = true;
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (this.#isRetired && this.#holders === 0) closeSync(this.fd);
  }
}

/** Open files by absolute path, at most `capacity` besides those that are held. */
export class DescriptorCache {
  readonly #capacity: number;
  /** In order of use, oldest first. */
  readonly #entries = new Map<string, Descriptor>();

  /** `capacity` is at least 1. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(path: string): Descriptor | undefined {
    const descriptor = this.#entries.get(path);
    if (descriptor === undefined) return undefined;
    this.#entries.delete(path);
    this.#entries.set(path, descriptor);
    return descriptor;
  }

  /** Adds `descriptor`, in place of another of the same path; closes what does not fit any more. */
  add(path: string, descriptor: Descriptor): void {
    this.drop(path);
    this.#entries.set(path, descriptor);
    for (const [oldest, old] of this.#entries) {
      if (this.#entries.size <= this.#capacity) break;
      if (old !== descriptor && !old.isHeld) this.drop(oldest);
    }
  }

  /** Forgets `path`, so that the next use opens it anew. */
  drop(path: string): void {
    const descriptor = this.#entries.get(path);
    if (descriptor === undefined) return;
    this.#entries.delete(path);
    descriptor.retire();
  }

  /** Forgets everything at and below `path`; "" is everything. */
  dropUnder(path: string): void {
    const prefix = path + sep;
    for (const key of this.#entries.keys()) {
      if (path === "" || key === path || key.startsWith(prefix)) this.drop(key);
    }
  }
}
