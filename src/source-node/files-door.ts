/**
 * The files door: decides the answer to GET and HEAD of /files/NAME/CONTENT-NAME[/PATH], for
 * browsers and curl, and of /webseed/..., for BitTorrent clients (BEP 19).
 *
 * A path is looked up among the names that were published and never walked on disk, so that no
 * spelling of it leads anywhere else.
 */
import { latin1Bytes, parseUtf8 } from "../base/bytes.ts";
import type { LedgerNode } from "../ledger/ledger.ts";
import type { Door } from "../ports/content-service.ts";
import {
  type FileAnswer,
  type FileBody,
  FILES_PREFIX,
  type FilesDoor,
  type FilesRequest,
  type TextAnswer,
  WEB_SEED_PREFIX,
} from "../ports/files-door.ts";
import { decideRange } from "./byte-range.ts";
import type { Publication, ServedFile } from "./publication.ts";

/** What the door needs of the SourceNode. */
export interface FilesDoorSource {
  /** Whether `host` may have files of a publication. */
  admits(publication: Publication, host: string): boolean;
  publication(name: string): Publication | undefined;
  /** Seconds after which `host` may ask the web seed again; undefined: it is answered now. */
  webSeedWait(publication: Publication, host: string): number | undefined;
  /** Path of a publication's file on disk. */
  filePath(publication: Publication, fileIndex: number): string;
  /** The file at `path` is missing, or not what was published. */
  reportChanged(publication: Publication, path: string): void;
  /** A file could not be opened or read. */
  reportFailed(publication: Publication, message: string): void;
}

/**
 * Clients that take pieces, not files. Some of them (aria2) can do both and do not say which.
 * A name is cheap to forge: it only sorts the ledger.
 */
const TORRENT_CLIENTS =
  /btpublisher|libtorrent|transmission|qbittorrent|aria2|webtorrent|deluge|rtorrent|utorrent|bittorrent|azureus|biglybt|vuze|ktorrent|tixati|anacrolix|rqbit|bitcomet|folx|fragments/i;

/** The files door of one SourceNode. */
export class SourceFilesDoor implements FilesDoor {
  readonly #source: FilesDoorSource;

  constructor(source: FilesDoorSource) {
    this.#source = source;
  }

  answer(request: FilesRequest): TextAnswer | FileAnswer {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return textAnswer(405, "files are read with GET or HEAD", { allow: "GET, HEAD" });
    }
    const [name = "", ...elements] = parsePath(request.target) ?? [];
    const publication = this.#source.publication(name);
    const served = publication?.fileAt(elements);
    // What somebody may not have is not there for it.
    const isAdmitted =
      publication !== undefined && this.#source.admits(publication, request.remoteHost);
    if (publication === undefined || served === undefined || !isAdmitted) {
      return textAnswer(
        404,
        "there is no such file: it was unpublished, or the link is incomplete",
      );
    }
    if (publication.state.name !== "serving") return this.unavailable();
    if (request.target.startsWith(WEB_SEED_PREFIX)) {
      const wait = this.#source.webSeedWait(publication, request.remoteHost);
      if (wait !== undefined) {
        const message =
          "the swarm serves this client; the web seed is for those who cannot connect";
        return textAnswer(503, message, { "retry-after": String(wait) });
      }
    }
    return this.#serve(publication, served, request);
  }

  unavailable(): TextAnswer {
    const message = "this file is not available at the moment; try again in a minute";
    return textAnswer(503, message, { "retry-after": "60" });
  }

  #serve(
    publication: Publication,
    served: ServedFile,
    request: FilesRequest,
  ): TextAnswer | FileAnswer {
    const { file, index } = served;
    const validators = {
      etag: `"${publication.infoHash}-${index}"`,
      "last-modified": new Date(publication.stored.publishedAt).toUTCString(),
    };
    const common = {
      ...validators,
      "accept-ranges": "bytes",
      "x-content-type-options": "nosniff",
    };
    if (isNotModified(request, validators)) {
      return { type: "text", status: 304, headers: common, text: "" };
    }
    const range = decideRange(rangeHeader(request, validators), file.length);
    if (range.type === "unsatisfiable") {
      const contentRange = `bytes */${file.length}`;
      const message = `the file has ${file.length} bytes; the range asks for others`;
      return textAnswer(416, message, { ...common, "content-range": contentRange });
    }
    const { start, end } = range.type === "part" ? range : { start: 0, end: file.length };
    const contentRange = { "content-range": `bytes ${start}-${end - 1}/${file.length}` };
    return {
      type: "file",
      status: range.type === "part" ? 206 : 200,
      headers: {
        ...common,
        "content-type": "application/octet-stream",
        "content-disposition": attachment(file.path.at(-1) ?? publication.info.name),
        "content-length": String(end - start),
        ...(range.type === "part" ? contentRange : {}),
      },
      body: this.#body(publication, served, request, { start, end }),
    };
  }

  #body(
    publication: Publication,
    { file, index, stamp }: ServedFile,
    request: FilesRequest,
    span: { readonly start: number; readonly end: number },
  ): FileBody {
    const path = this.#source.filePath(publication, index);
    let node: LedgerNode | undefined;
    return {
      path,
      stamp,
      ...span,
      mayGoOn: () => this.#source.admits(publication, request.remoteHost),
      onSent: (position, length) => {
        node ??= publication.ledger.nodeAt(doorOf(request), request.remoteHost);
        node.addRange(file.offset + position, length);
      },
      onChanged: () => this.#source.reportChanged(publication, path),
      onFailed: (message) => this.#source.reportFailed(publication, message),
    };
  }
}

/** The door of the ledger that a request comes through, by its User-Agent. */
export function doorOf(request: FilesRequest): Door {
  if (request.target.startsWith(WEB_SEED_PREFIX)) return "webseed";
  return TORRENT_CLIENTS.test(header(request, "user-agent") ?? "") ? "webseed" : "http";
}

function textAnswer(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): TextAnswer {
  const text = `${message}\n`;
  return {
    type: "text",
    status,
    headers: {
      ...headers,
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      "content-length": String(text.length),
    },
    text,
  };
}

/** The decoded elements behind the door's prefix, or undefined when they cannot name a file. */
function parsePath(target: string): readonly string[] | undefined {
  const prefix = [FILES_PREFIX, WEB_SEED_PREFIX].find((each) => target.startsWith(each));
  if (prefix === undefined) return undefined;
  const [path = ""] = target.slice(prefix.length).split("?", 1);
  const elements: string[] = [];
  for (const raw of path.split("/")) {
    const element = decodeElement(raw);
    if (element === undefined || element === "") return undefined;
    elements.push(element);
  }
  return elements;
}

/** Decodes percent-encoding once, as strict UTF-8. */
function decodeElement(raw: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(raw)) return undefined;
  const bytes = raw.replace(/%(..)/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return parseUtf8(latin1Bytes(bytes));
}

interface Validators {
  readonly etag: string;
  readonly "last-modified": string;
}

/** Whether the client has the current bytes already (RFC 9110, section 13.2.2). */
function isNotModified(request: FilesRequest, validators: Validators): boolean {
  const known = header(request, "if-none-match");
  if (known !== undefined) {
    const tags = known.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    return tags.includes("*") || tags.includes(validators.etag);
  }
  const since = Date.parse(header(request, "if-modified-since") ?? "");
  return since >= Date.parse(validators["last-modified"]);
}

/** The Range header, unless If-Range says that the client's part is of other bytes. */
function rangeHeader(request: FilesRequest, validators: Validators): string | undefined {
  const condition = header(request, "if-range")?.trim();
  const isCurrent =
    condition === undefined ||
    condition === validators.etag ||
    condition === validators["last-modified"];
  return isCurrent ? header(request, "range") : undefined;
}

function header(request: FilesRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : value?.[0];
}

/**
 * A Content-Disposition that saves under `name` and never opens (RFC 6266): a plain name for old
 * clients, the exact one for all others.
 */
function attachment(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const exact = encodeURIComponent(name).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
