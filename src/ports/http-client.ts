/** HTTP requests as a client: tracker announces, web seeds, .torrent downloads. */

/** An answer's head. Header names are lower case. */
export interface HttpResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Receives one answer. Exactly one of `onEnd` and `onError` ends it, unless it was cancelled. */
export interface HttpResponseSink {
  /** Return false to drop the body and end the request (no further call follows). */
  onHead(head: HttpResponseHead): boolean;
  /** `chunk` is only valid during the call: copy what you keep. */
  onData(chunk: Uint8Array): void;
  onEnd(): void;
  /** Connection, TLS, time-out or limit; `message` is for people. */
  onError(message: string): void;
}

/** What to get, and the limits within which. */
export interface HttpRequestOptions {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Without any byte for this long, the request fails. Default 15 000. */
  readonly idleTimeoutMs?: number;
  /** Body bytes beyond this fail the request. */
  readonly maxBytes?: number;
  /** Redirects that are followed (never from https to http). Default 3. */
  readonly maxRedirects?: number;
}

export interface HttpClient {
  get(options: HttpRequestOptions, sink: HttpResponseSink): { cancel(): void };
}
