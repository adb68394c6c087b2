/** `btpublisher get`: downloads, and goes on where an earlier run stopped. */
import { type Command, InvalidArgumentError } from "commander";
import { action, examples } from "../command.ts";
import type { GetOptions } from "../get-downloads.ts";
import { collect, parseDuration, parseHostPort, parsePort, parseRate } from "../values.ts";

/** Adds the command to `program`. */
export function register(program: Command): void {
  program
    .command("get")
    .description("download by page, .torrent or magnet link; goes on where it stopped before")
    .argument("<ref...>", "page URL, .torrent (URL or file), or magnet link")
    .option("-o, --output <dir>", "folder that it goes to", ".")
    .option("--port <n>", "port for peers (default: any free one)", parsePort)
    .option("--peer <host:port>", "a peer to try; may be repeated", collect(parseHostPort))
    .option("--seed <time>", "serve it afterwards: none, a duration, or forever", parseSeed, 0)
    .option("--max-upload <rate>", "limit of what is sent", parseRate)
    .option("--max-download <rate>", "limit of what is fetched", parseRate)
    .option(
      "--signed-by <key>",
      "only what this publisher signed; a page or its .torrent's address",
    )
    .option("--token <token>", "who you are, for what is not public")
    .option("--server <url>", "the server that BTPUBLISHER_TOKEN is for")
    .option("--no-web-seed", "do not use HTTP sources")
    .option("--overwrite", "cut files that are longer than the torrent's")
    .option("--timeout <time>", "give up when nothing arrives for so long; 0 never", parseDuration)
    .addHelpText(
      "after",
      examples(
        "get https://files.example/p/debian.iso -o ~/Downloads",
        "get debian.iso.torrent --seed 2h --max-upload 10Mbit",
        "get https://files.example/p/secret.iso --server https://files.example",
        "get https://files.example/p/debian.iso --signed-by RWQ…",
        "get 'magnet:?xt=urn:btih:...&tr=...' --seed forever",
      ),
    )
    .action(
      action<GetOptions>(async (context) => {
        const { getAll } = await import("../get-downloads.ts");
        await getAll(context);
      }),
    );
}

/** Milliseconds to serve after completion; Infinity for `forever`. */
function parseSeed(text: string): number {
  if (text === "none") return 0;
  if (text === "forever") return Number.POSITIVE_INFINITY;
  try {
    return parseDuration(text);
  } catch {
    throw new InvalidArgumentError("Use none, forever, or a duration: 90s, 2h.");
  }
}
