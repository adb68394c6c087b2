/**
 * Memory in pages of one size, for many small tables to share. A table that grows or shrinks takes or
 * gives back a page: nothing is copied, and what one leaves another can use at once, so that ten
 * thousand tables that grow together leave no holes. Pages come from segments, which are not given
 * back: the memory is that of the busiest moment.
 */

/** Number of a page. */
export type Page = number;

/** Some pages' memory, three ways to look at it. */
export interface Segment {
  readonly bytes: Uint8Array;
  readonly pairs: Uint16Array;
  readonly words: Int32Array;
}

/** Big ones: the system gives memory where it is touched, and few are quickly found. */
const SEGMENT_SHIFT = 13;
const SEGMENT_PAGES = 1 << SEGMENT_SHIFT;

export class PageSlab {
  readonly #pageBytes: number;
  readonly #segments: Segment[] = [];
  /** The first of a chain of free pages, each of which begins with the number of the next; −1: none. */
  #free: Page = -1;
  /** The first of those that nobody had yet. */
  #fresh: Page = 0;

  /** `pageBytes`: a multiple of 4. */
  constructor(pageBytes: number) {
    this.#pageBytes = pageBytes;
  }

  /** Bytes of all pages that were ever taken. */
  get byteLength(): number {
    return this.#fresh * this.#pageBytes;
  }

  /** A page, all zeros. */
  take(): Page {
    const page = this.#free;
    if (page < 0) return this.#takeFresh();
    const first = this.offset(page) / 4;
    const { words } = this.segment(page);
    this.#free = words[first] as number;
    words.fill(0, first, first + this.#pageBytes / 4);
    return page;
  }

  /** Gives `page` back, which must not be used any more. */
  give(page: Page): void {
    this.segment(page).words[this.offset(page) / 4] = this.#free;
    this.#free = page;
  }

  /** Where `page` lies. */
  segment(page: Page): Segment {
    return this.#segments[page >> SEGMENT_SHIFT] as Segment;
  }

  /** Its first byte there. */
  offset(page: Page): number {
    return (page & (SEGMENT_PAGES - 1)) * this.#pageBytes;
  }

  #takeFresh(): Page {
    if (this.#fresh === this.#segments.length * SEGMENT_PAGES) {
      const buffer = new ArrayBuffer(SEGMENT_PAGES * this.#pageBytes);
      const bytes = new Uint8Array(buffer);
      this.#segments.push({
        bytes,
        pairs: new Uint16Array(buffer),
        words: new Int32Array(buffer),
      });
    }
    return this.#fresh++;
  }
}
