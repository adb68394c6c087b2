/** The built scripts and style sheets of the pages, as the Announcer serves them. */

/** One file, with the forms in which it may be sent. */
export interface WebFile {
  /** Media type with its charset. */
  readonly type: string;
  readonly plain: Uint8Array;
  readonly gzip: Uint8Array;
  readonly brotli: Uint8Array;
}

/** What a page loads; paths begin with a slash. */
export interface WebEntry {
  readonly script: string | undefined;
  readonly styles: readonly string[];
  /** Scripts that the first one imports: asked for at once, instead of one round trip later. */
  readonly preloads: readonly string[];
}

/** Everything that was built. Names have a hash of the content in them: they never change. */
export interface WebBuild {
  /** By path, as in `/assets/admin-x1y2.js`. */
  readonly files: ReadonlyMap<string, WebFile>;
  /** By the name of its source, as in `admin.tsx`. */
  entry(source: "admin.tsx" | "download.ts" | "style.css"): WebEntry;
}
