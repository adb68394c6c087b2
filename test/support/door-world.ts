/** A files door over real files and a real HTTP server, with a publication made by hand. */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createFilesHandler } from "../../src/adapters/node/files-handler.ts";
import { createSystemClock } from "../../src/adapters/node/clock.ts";
import { TokenBucket } from "../../src/base/token-bucket.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { SourceFilesDoor } from "../../src/source-node/files-door.ts";
import { Publication } from "../../src/source-node/publication.ts";
import { type Content, type ContentSpec, makeContent } from "./made-content.ts";
import { defaultPolicy } from "../../src/ports/publication-policy.ts";

/** When the world's publication was published. */
export const PUBLISHED_AT = Date.UTC(2026, 1, 3, 4, 5, 6, 789);

/** See the head of this file. */
export interface DoorWorld {
  readonly content: Content;
  readonly publication: Publication;
  readonly port: number;
  readonly server: Server;
  /** Paths of files that the door found changed, and messages of those that it could not read. */
  readonly changed: string[];
  readonly failed: string[];
  readonly directory: string;
  /** Path on disk of a file of the content. */
  pathOf(fileIndex: number): string;
  close(): Promise<void>;
}

export interface DoorWorldOptions {
  readonly clock?: Clock;
  readonly uploadLimit?: TokenBucket;
  /** Default: everybody is admitted. */
  readonly admits?: (host: string) => boolean;
  /** Seconds after which a host may ask the web seed again. Default: it is answered. */
  readonly webSeedWait?: (host: string) => number | undefined;
}

/** Writes content of `spec` to a temporary folder and serves it as the publication `thing`. */
export async function openDoor(
  spec: ContentSpec,
  options: DoorWorldOptions = {},
): Promise<DoorWorld> {
  const content = makeContent(spec);
  const { info, bytes } = content;
  const directory = mkdtempSync(join(tmpdir(), "door-"));
  const pathOf = (i: number): string =>
    join(directory, info.name, ...(info.isDirectory ? (info.files[i]?.path ?? []) : []));
  for (const [i, file] of info.files.entries()) {
    mkdirSync(dirname(pathOf(i)), { recursive: true });
    writeFileSync(pathOf(i), bytes.subarray(file.offset, file.offset + file.length));
  }
  const stamps = info.files.map((_, i) => {
    const { size, mtimeMs } = statSync(pathOf(i));
    return { length: size, modifiedAt: mtimeMs };
  });
  const { infoHash, name, raw, isDirectory, geometry } = info;
  const stored = {
    content: {
      name: "thing",
      infoHash,
      info: raw,
      contentName: name,
      isDirectory,
      files: info.files.map(({ path, length }) => ({ path, length, sha256: "" })),
      contentLength: geometry.contentLength,
      policy: defaultPolicy,
      localPath: undefined,
    },
    publishedAt: PUBLISHED_AT,
    stamps,
  };
  const publication = new Publication(stored, info, new Ledger(infoHash, geometry));
  const changed: string[] = [];
  const failed: string[] = [];
  const door = new SourceFilesDoor({
    admits: (_, host) => options.admits?.(host) ?? true,
    publication: (name) => (name === "thing" ? publication : undefined),
    webSeedWait: (_, host) => options.webSeedWait?.(host),
    filePath: (_, fileIndex) => pathOf(fileIndex),
    reportChanged: (_, path) => changed.push(path),
    reportFailed: (_, message) => failed.push(message),
  });
  const { clock = createSystemClock(), uploadLimit = new TokenBucket(undefined) } = options;
  const handle = createFilesHandler({ door, clock, uploadLimit });
  const server = createServer(handle);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    rmSync(directory, { recursive: true });
  };
  return { content, publication, port, server, changed, failed, directory, pathOf, close };
}

/** An answer as bytes and as values. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Sends exactly this request line and these headers, and reads until the server closes. */
export async function rawRequest(
  port: number,
  requestLine: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const socket = connect(port, "127.0.0.1");
  const lines = Object.entries({ host: "x", connection: "close", ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.write(Buffer.from(`${requestLine}\r\n${head}\r\n`, "latin1"));
  const received = Buffer.concat(await socket.toArray());
  const end = received.indexOf("\r\n\r\n");
  const [statusLine = "", ...headerLines] = received.toString("latin1", 0, end).split("\r\n");
  return {
    status: Number(statusLine.split(" ")[1]),
    headers: Object.fromEntries(
      headerLines.map((line) => {
        const [name = "", ...rest] = line.split(": ");
        return [name.toLowerCase(), rest.join(": ")];
      }),
    ),
    body: received.subarray(end + 4),
  };
}
