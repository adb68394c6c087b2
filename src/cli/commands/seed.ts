/** `btpublisher seed`: serves content that is on disk already, as an ordinary peer. */
import type { Command } from "commander";
import { BtPublisherError } from "../../base/errors.ts";
import type { PeerClosed, TorrentContent } from "../../runtime/torrent-setup.ts";
import { action, type CommandContext, examples, stopRequested } from "../command.ts";
import type { PeerNode } from "../compose/peer.ts";
import { contentDirectory, readTorrentFile } from "../torrent-file.ts";
import { PeerLog } from "../peer-log.ts";
import { warnOfTroubles } from "../troubles.ts";
import { parsePort, parseRate } from "../values.ts";

interface SeedOptions {
  readonly data: string;
  readonly port?: number;
  readonly maxUpload?: number;
  /** Of the program: say why each connection ended. */
  readonly verbose?: boolean;
}

const REPORT_INTERVAL_MS = 1000;

/** Adds the command to `program`. */
export function register(program: Command): void {
  program
    .command("seed")
    .description("serve a torrent that you hold, as an ordinary peer, until stopped")
    .argument("<torrent>", ".torrent file")
    .requiredOption("--data <dir>", "folder that the content lies in")
    .option("--port <n>", "port for peers (default: any free one)", parsePort)
    .option("--max-upload <rate>", "limit of what is sent", parseRate)
    .addHelpText(
      "after",
      examples("seed debian.iso.torrent --data ~/Downloads --max-upload 20Mbit"),
    )
    .action(action(seed));
}

async function seed(context: CommandContext<SeedOptions>): Promise<void> {
  const { startPeerNode } = await import("../compose/peer.ts");
  const metainfo = await readTorrentFile(context.operands[0] as string);
  const node = await startPeerNode(context.options);
  try {
    const { output, signal } = context;
    const { content, path } = await openContent(metainfo.info, node, context);
    const onTrouble = warnOfTroubles(output);
    const { infoHash, name, geometry } = metainfo.info;
    const log = new PeerLog(output, () => performance.now());
    const torrent = node.peer.seed(metainfo, content, {
      path,
      onTrouble,
      ...(context.options.verbose === true && {
        onPeerClosed: (closed: PeerClosed) => log.say(closed, { infoHash }),
      }),
    });
    output.event(
      "ready",
      { infoHash, path, peerPort: node.peer.port },
      `serving ${name} on port ${node.peer.port}; stop with Ctrl-C`,
    );
    const bytes = geometry.contentLength;
    const timer = setInterval(() => {
      const { connections: peers, uploadBytesPerSecond: upRate, uploadedBytes } = torrent.figures();
      // A log file is not helped by a line each second that nothing changed.
      if (!output.isJson && !output.isInteractive) return;
      output.progress(
        { bytes, total: bytes, peers, upRate },
        { infoHash, uploaded: uploadedBytes },
      );
    }, REPORT_INTERVAL_MS);
    await stopRequested(signal);
    clearInterval(timer);
    await torrent.stop();
  } finally {
    await node.close();
  }
}

/** @throws BtPublisherError DIGEST when the content is not complete and right. */
async function openContent(
  info: TorrentContent["info"],
  { pool }: PeerNode,
  { options, output, signal }: CommandContext<SeedOptions>,
): Promise<{ readonly content: TorrentContent; readonly path: string }> {
  const { openDiskPieceStore } = await import("../../adapters/node/disk-piece-store.ts");
  const directory = await contentDirectory(info, options.data);
  const store = await openDiskPieceStore({ info, directory, mode: "seed", pool });
  const onProgress = (bytes: number, total: number) => output.progress({ bytes, total });
  const have = await store.check({ onProgress, signal });
  if (have.isFull) return { content: { info, store, have }, path: store.path };
  const missing = info.geometry.pieceCount - have.count;
  throw new BtPublisherError(
    "DIGEST",
    `${missing} of ${info.geometry.pieceCount} pieces of ${store.path} are missing or differ; ` +
      "`btpublisher verify` says where, and `btpublisher get` repairs them",
    { detail: { missing } },
  );
}
