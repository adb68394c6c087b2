/** `btpublisher inspect`: what a .torrent (file, URL, page) or a magnet link says. */
import type { Command } from "commander";
import { formatMagnet, type Magnet } from "../../protocol/metainfo/magnet.ts";
import type { Metainfo } from "../../protocol/metainfo/metainfo.ts";
import { action, type CommandContext, examples } from "../command.ts";
import type { Output } from "../output.ts";
import { formatBytes, formatPieceLength } from "../text.ts";

/** More files than these scroll everything else away. */
const MAX_LISTED_FILES = 100;

/** Adds the command to `program`. */
export function register(program: Command): void {
  program
    .command("inspect")
    .description("show what a .torrent or a magnet link says")
    .argument("<torrent>", "page URL, .torrent (URL or file), or magnet link")
    .addHelpText("after", examples("inspect debian.iso.torrent", "inspect 'magnet:?xt=...'"))
    .action(action(inspect));
}

async function inspect({ operands, output, signal }: CommandContext<object>): Promise<void> {
  const { createHttpClient } = await import("../../adapters/node/http-client.ts");
  const { createSystemClock } = await import("../../adapters/node/clock.ts");
  const { resolveTorrentRef } = await import("../torrent-ref.ts");
  const http = createHttpClient({ clock: createSystemClock() });
  const source = await resolveTorrentRef(operands[0] ?? "", { http, output, signal });
  if (source.type === "magnet") sayMagnet(source.magnet, output);
  else sayTorrent(source.metainfo, output);
}

function sayTorrent(metainfo: Metainfo, output: Output): void {
  const { info, announceTiers, webSeeds } = metainfo;
  const { infoHash, name, geometry, isPrivate, version } = info;
  const files = info.files.filter((file) => !file.isPad);
  const trackers = announceTiers.flat();
  // A magnet link asks strangers for the metainfo, and private torrents have none to ask.
  const magnet = isPrivate ? undefined : formatMagnet({ infoHash, name, trackers, webSeeds });
  output.event("torrent", {
    infoHash,
    name,
    bytes: geometry.contentLength,
    pieceLength: geometry.pieceLength,
    pieces: geometry.pieceCount,
    version,
    isPrivate,
    announceTiers,
    webSeeds,
    comment: metainfo.comment,
    createdBy: metainfo.createdBy,
    createdAt: createdAt(metainfo),
    magnet,
    files: files.map(({ path, length }) => ({ path: path.join("/"), length })),
  });
  output.print(
    rows([
      ["name", name],
      ["info hash", infoHash],
      ["size", `${formatBytes(geometry.contentLength)} in ${count(files.length, "file")}`],
      ["pieces", `${geometry.pieceCount} of ${formatPieceLength(geometry.pieceLength)}`],
      ["private", isPrivate ? "yes" : undefined],
      ...trackers.map((url) => ["tracker", url] as const),
      ...webSeeds.map((url) => ["web seed", url] as const),
      ["comment", metainfo.comment],
      ["made by", metainfo.createdBy],
      ["made at", createdAt(metainfo)],
      ["magnet", magnet],
    ]),
  );
  if (!info.isDirectory) return;
  for (const { path, length } of files.slice(0, MAX_LISTED_FILES)) {
    output.print(`${formatBytes(length).padStart(10)}  ${path.join("/")}`);
  }
  const unlisted = files.length - MAX_LISTED_FILES;
  if (unlisted > 0) output.print(`and ${count(unlisted, "file")} more: --json lists all`);
}

function sayMagnet(magnet: Magnet, output: Output): void {
  const { infoHash, name, trackers, webSeeds, peers } = magnet;
  output.event("magnet", { infoHash, name, trackers, webSeeds, peers });
  output.print(
    rows([
      ["name", name],
      ["info hash", infoHash],
      ...trackers.map((url) => ["tracker", url] as const),
      ...webSeeds.map((url) => ["web seed", url] as const),
      ...peers.map(({ host, port }) => ["peer", `${host} port ${port}`] as const),
    ]),
  );
}

function createdAt({ creationDate }: Metainfo): string | undefined {
  return creationDate === undefined ? undefined : new Date(creationDate * 1000).toISOString();
}

/** `name  value` lines; those without a value are left out. */
function rows(pairs: readonly (readonly [string, string | undefined])[]): string {
  return pairs
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(10)} ${value}`]))
    .join("\n");
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
