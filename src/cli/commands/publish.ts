/** `btpublisher publish`: puts files and directories on a server. */
import process from "node:process";
import { type Command, Option } from "commander";
import { BtPublisherError } from "../../base/errors.ts";
import type { Json } from "../api-client.ts";
import { action, type CommandContext, examples } from "../command.ts";
import type { Output } from "../output.ts";
import { addPolicyOptions, type PolicyFlags, policyOf } from "../policy-options.ts";
import type { PublishListener } from "../publishing.ts";
import { addAccessOptions, type ServerAccessFlags } from "../server-options.ts";
import { formatBytes } from "../text.ts";
import { parsePieceLength } from "../values.ts";

interface PublishFlags extends ServerAccessFlags, PolicyFlags {
  readonly name?: string;
  readonly copy?: boolean;
  readonly sign?: string;
  readonly catalogue?: string;
  readonly access?: string;
  readonly pieceLength?: number;
  readonly torrent?: string;
}

/** Adds the command to `program`. */
export function register(program: Command): void {
  const command = program
    .command("publish")
    .description("publish files or folders; goes on where it was cut")
    .argument("<path...>", "file or folder")
    .option("--name <name>", "name in the page's address (default: from the content's name)")
    .option("--sign <key file>", "sign it, after comparing what was published with what lies here")
    .option(
      "--torrent <file>",
      "keep the info hash of this .torrent, which was made of the content",
    )
    .option("--copy", "copy to the server even what it could serve where it lies")
    .addOption(
      new Option(
        "--catalogue <who>",
        "who may get it: everybody, every account, or those with a grant (default: public)",
      ).choices(["public", "members", "private"]),
    )
    .addOption(
      new Option(
        "--access <level>",
        "how far that is enforced: by the tracker, by the source too, by tickets (default: tracker)",
      ).choices(["tracker", "admitted", "ticketed"]),
    )
    .addHelpText(
      "after",
      examples(
        "publish debian.iso",
        "publish secret.iso --catalogue private --access admitted",
        "publish debian.iso --sign minisign.key",
        "publish debian.iso --torrent debian.iso.torrent",
        "publish dataset/ --name weather-2026 --server https://files.example",
      ),
    );
  addPolicyOptions(addAccessOptions(command))
    .addOption(new Option("--format <format>", "format").choices(["v1"]).default("v1"))
    .option("--piece-length <size>", "a power of two (default: by the size)", parsePieceLength)
    .action(action(publish, { whenUnread: "go-on" }));
}

async function publish(context: CommandContext<PublishFlags>): Promise<void> {
  const { operands, options, output, signal } = context;
  assertFitting(operands, options);
  const { accessServer } = await import("../server-access.ts");
  const { publishContent } = await import("../publishing.ts");
  // What is wrong with the key is told before the work.
  const key = options.sign === undefined ? undefined : await keyIn(options.sign);
  const torrent = options.torrent === undefined ? undefined : await torrentIn(options.torrent);
  const access = await accessServer(options, process.env, signal);
  for (const path of operands) {
    const job = {
      path,
      name: options.name,
      isCopy: options.copy === true,
      policy: policyOf(options),
      access: accessOf(options),
      pieceLength: options.pieceLength,
      torrent,
    };
    const published = await publishContent(access, job, listenerTo(output));
    say(published, output);
    if (key === undefined) continue;
    const { signPublication } = await import("../signing.ts");
    const { api } = access;
    await signPublication({ api, output }, String(published["name"]), { type: "key", key }, path);
  }
}

/** @throws USAGE for options that make no sense together. */
function assertFitting(operands: readonly string[], options: PublishFlags): void {
  const { name, torrent, pieceLength } = options;
  const one = name !== undefined ? "--name" : torrent !== undefined ? "--torrent" : undefined;
  if (operands.length > 1 && one !== undefined) {
    const message = `${one} is for one file or folder: publish them one by one`;
    throw new BtPublisherError("USAGE", message);
  }
  if (torrent !== undefined && pieceLength !== undefined) {
    const message = "--torrent says how long pieces are: leave --piece-length out";
    throw new BtPublisherError("USAGE", message);
  }
}

async function torrentIn(path: string): Promise<Uint8Array> {
  const { readTorrentBytes } = await import("../torrent-file.ts");
  return readTorrentBytes(path);
}

async function keyIn(path: string) {
  const { readSecretKey } = await import("../key-files.ts");
  return readSecretKey(path);
}

function say(published: Json, output: Output): void {
  const { event: _event, ...fields } = published;
  const { name, bytes, pageUrl, torrentUrl, magnet } = published;
  const rest =
    typeof magnet === "string"
      ? `  magnet   ${magnet}`
      : "\nIt takes an account to get it: see btpublisher user --help.";
  const text = `Published ${String(name)}, ${formatBytes(Number(bytes))}.

  page     ${String(pageUrl)}
  torrent  ${String(torrentUrl)}
${rest}
`;
  output.event("published", fields, text);
}

/** Tells how far it is: once a second is often enough for programs, and for people a line. */
function listenerTo(output: Output): PublishListener {
  let saidAt = Number.NEGATIVE_INFINITY;
  let saidStage = "";
  return {
    onProgress(stage, bytes, total) {
      if (stage !== saidStage) {
        saidStage = stage;
        output.print(stage === "upload" ? "Uploading" : "Hashing");
      }
      const now = performance.now();
      if (output.isJson && now - saidAt < 1000) return;
      saidAt = now;
      output.progress({ bytes, total });
    },
    onWaiting({ message }, waitMs) {
      output.warn(`${message}; it is tried again in ${waitMs / 1000} s`);
    },
  };
}

/** As the API takes it; undefined when nothing was said. @throws USAGE for what makes no sense. */
function accessOf({ catalogue, access: level }: PublishFlags): object | undefined {
  if (level !== undefined && (catalogue ?? "public") === "public") {
    const message =
      "--access is for what not everybody may get: add --catalogue members or private";
    throw new BtPublisherError("USAGE", message);
  }
  return catalogue === undefined ? undefined : { catalogue, level };
}
