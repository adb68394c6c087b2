/** `btpublisher verify`: whether content on disk is what a torrent says, and where it is not. */
import type { Command } from "commander";
import type { Bitfield } from "../../base/bitfield.ts";
import { BtPublisherError } from "../../base/errors.ts";
import { fileSpans } from "../../protocol/metainfo/file-spans.ts";
import type { Info } from "../../protocol/metainfo/metainfo.ts";
import { action, type CommandContext, examples } from "../command.ts";
import type { Output } from "../output.ts";
import { contentDirectory, readTorrentFile } from "../torrent-file.ts";

interface VerifyOptions {
  readonly data: string;
}

/** More names than these are no help on a screen. */
const MAX_LISTED_FILES = 20;

/** Adds the command to `program`. */
export function register(program: Command): void {
  program
    .command("verify")
    .description("compare content on disk with a torrent, piece by piece")
    .argument("<torrent>", ".torrent file")
    .requiredOption("--data <dir>", "folder that the content lies in")
    .addHelpText("after", examples("verify debian.iso.torrent --data ~/Downloads"))
    .action(action(verify));
}

async function verify(context: CommandContext<VerifyOptions>): Promise<void> {
  const { DiskPool } = await import("../../adapters/node/disk-pool.ts");
  const { operands, options, output, signal } = context;
  const pool = new DiskPool({ hashesHere: true });
  // Its threads start while the rest is loaded.
  pool.warmUp();
  try {
    const { openDiskPieceStore } = await import("../../adapters/node/disk-piece-store.ts");
    const { info } = await readTorrentFile(operands[0] as string);
    const directory = await contentDirectory(info, options.data);
    const store = await openDiskPieceStore({ info, directory, mode: "seed", pool });
    const onProgress = (bytes: number, total: number) => output.progress({ bytes, total });
    const good = await store.check({ onProgress, signal });
    const missing = missingEmptyFiles(info, await store.fileStates());
    await store.close();
    say(info, { good, missing }, output);
  } finally {
    await pool.close();
  }
}

/** What was found: the pieces that are right, and the paths of empty files that are not there. */
interface Findings {
  readonly good: Bitfield;
  readonly missing: readonly string[];
}

/** @throws BtPublisherError DIGEST when not all pieces and files are good. */
function say(info: Info, { good, missing }: Findings, output: Output): void {
  const { infoHash, geometry } = info;
  const { pieceCount } = geometry;
  const damaged = [...damagedFiles(info, good), ...missing];
  const bad = pieceCount - good.count;
  const isGood = bad === 0 && missing.length === 0;
  output.event(
    "verified",
    { infoHash, pieces: pieceCount, goodPieces: good.count, damagedFiles: damaged },
    isGood ? `all ${pieceCount} pieces are good` : undefined,
  );
  if (isGood) return;
  for (const path of damaged.slice(0, MAX_LISTED_FILES)) output.print(`damaged: ${path}`);
  const unlisted = damaged.length - MAX_LISTED_FILES;
  if (unlisted > 0) output.print(`and ${unlisted} more: --json lists all`);
  const flaws = [
    ...(bad > 0 ? [`${bad} of ${pieceCount} pieces are missing or differ`] : []),
    ...(missing.length > 0
      ? [`${missing.length} empty ${missing.length === 1 ? "file is" : "files are"} missing`]
      : []),
  ];
  throw new BtPublisherError(
    "DIGEST",
    `${flaws.join(", ")}; \`btpublisher get\` with the same torrent and folder repairs them`,
    { detail: { bad, missingEmptyFiles: missing.length } },
  );
}

/** No piece reaches into an empty file: only the file system can tell whether it is there. */
function missingEmptyFiles(
  { files }: Info,
  states: readonly { readonly size: number | undefined }[],
): string[] {
  return files
    .filter((file) => !file.isPad)
    .flatMap(({ path, length }, i) =>
      length === 0 && states[i]?.size === undefined ? [path.join("/")] : [],
    );
}

/** Paths of the files that a piece which is not good reaches into. */
function damagedFiles(info: Info, good: Bitfield): string[] {
  const { geometry, files } = info;
  const damaged = new Set<number>();
  for (let pieceIndex = 0; pieceIndex < geometry.pieceCount; pieceIndex++) {
    if (good.has(pieceIndex)) continue;
    const [offset, length] = [geometry.offsetOf(pieceIndex), geometry.lengthOf(pieceIndex)];
    for (const { fileIndex } of fileSpans(files, offset, length)) damaged.add(fileIndex);
  }
  return [...damaged].flatMap((fileIndex) => {
    const file = files[fileIndex];
    return file === undefined || file.isPad ? [] : [file.path.join("/")];
  });
}
