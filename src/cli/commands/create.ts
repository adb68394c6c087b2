/** `btpublisher create`: makes a .torrent file of a file or a folder. */
import { lstat, writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { BtPublisherError } from "../../base/errors.ts";
import { encodeMetainfo } from "../../protocol/metainfo/create.ts";
import { formatMagnet } from "../../protocol/metainfo/magnet.ts";
import type { Metainfo } from "../../protocol/metainfo/metainfo.ts";
import type { Output } from "../output.ts";
import { action, type CommandContext, examples } from "../command.ts";
import { formatBytes, formatPieceLength } from "../text.ts";
import { parseTorrent } from "../torrent-file.ts";
import { collect, parsePieceLength } from "../values.ts";
import { clientName } from "../version.ts";

interface CreateOptions {
  readonly output?: string;
  readonly announce?: readonly string[];
  readonly webSeed?: readonly string[];
  readonly private?: boolean;
  readonly pieceLength?: number;
  readonly overwrite?: boolean;
}

/** Adds the command to `program`. */
export function register(program: Command): void {
  program
    .command("create")
    .description("make a .torrent file of a file or a folder")
    .argument("<path>", "file or folder")
    .option("-o, --output <file>", "where it goes (default: the name with .torrent, here)")
    .option("--announce <url>", "tracker; several are tried in order", collect(String))
    .option("--web-seed <url>", "HTTP source of the content; may be repeated", collect(String))
    .option("--private", "only the named trackers may name peers (BEP 27)")
    .option("--piece-length <size>", "a power of two (default: by the size)", parsePieceLength)
    .addOption(new Option("--format <format>", "format").choices(["v1"]).default("v1"))
    .option("--overwrite", "replace a file that is there")
    .addHelpText(
      "after",
      examples(
        "create debian.iso --announce http://tracker.example:6969/announce",
        "create photos/ -o photos.torrent --private --announce https://tracker.example/announce/KEY",
      ),
    )
    .action(action(create));
}

async function create(context: CommandContext<CreateOptions>): Promise<void> {
  const { DiskPool } = await import("../../adapters/node/disk-pool.ts");
  const { operands, options, output, signal } = context;
  const pool = new DiskPool({ hashesHere: true });
  // Its threads start while the rest is loaded.
  pool.warmUp();
  try {
    const { DiskContentInspector } = await import("../../adapters/node/content-inspector.ts");
    const inspector = new DiskContentInspector(pool);
    const tree = await inspector.scan(operands[0] as string);
    const path = options.output ?? `${tree.contentName}.torrent`;
    if (options.overwrite !== true) await refuseExisting(path);
    const info = await inspector.createInfo(tree, {
      ...(options.pieceLength === undefined ? {} : { pieceLength: options.pieceLength }),
      isPrivate: options.private === true,
      onProgress: (bytes, total) => output.progress({ bytes, total }),
      signal,
    });
    const torrent = encodeMetainfo({
      infoRaw: info.raw,
      announceTiers: (options.announce ?? []).map((url) => [url]),
      webSeeds: options.webSeed ?? [],
      createdBy: clientName,
      creationDate: Math.floor(Date.now() / 1000),
    });
    await write(path, torrent, options.overwrite === true);
    say(path, parseTorrent(torrent, path), output);
  } finally {
    await pool.close();
  }
}

function say(path: string, { info, announceTiers, webSeeds }: Metainfo, output: Output): void {
  const { infoHash, name, geometry } = info;
  const { contentLength, pieceCount, pieceLength } = geometry;
  const magnet = formatMagnet({ infoHash, name, trackers: announceTiers.flat(), webSeeds });
  output.event(
    "created",
    { infoHash, path, name, bytes: contentLength, pieces: pieceCount, pieceLength, magnet },
    `${path}: ${formatBytes(contentLength)} in ${pieceCount} pieces of ` +
      `${formatPieceLength(pieceLength)}\ninfo hash  ${infoHash}\nmagnet     ${magnet}`,
  );
}

/** Says so before an hour of hashing rather than after it. @throws BtPublisherError STORAGE_EXISTS */
async function refuseExisting(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats !== undefined) throw existing(path);
}

function existing(path: string): BtPublisherError {
  const message = `${path} is there already: name another file with -o, or give --overwrite`;
  return new BtPublisherError("STORAGE_EXISTS", message, { detail: { path } });
}

/** @throws BtPublisherError STORAGE_EXISTS, STORAGE_FULL, STORAGE_PATH. */
async function write(path: string, bytes: Uint8Array, mayOverwrite: boolean): Promise<void> {
  try {
    await writeFile(path, bytes, { flag: mayOverwrite ? "w" : "wx" });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") throw existing(path);
    const isFull = code === "ENOSPC" || code === "EDQUOT";
    throw new BtPublisherError(
      isFull ? "STORAGE_FULL" : "STORAGE_PATH",
      `cannot write ${path}: ${message}`,
      { detail: { path }, cause },
    );
  }
}
