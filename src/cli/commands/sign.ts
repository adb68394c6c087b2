/** `btpublisher sign`: signs what is published. */
import type { Command } from "commander";
import { BtPublisherError } from "../../base/errors.ts";
import { action, type CommandContext, examples } from "../command.ts";
import { openPublication } from "../server-api.ts";
import { addAccessOptions, type ServerAccessFlags } from "../server-options.ts";
import type { Signer } from "../signing.ts";

interface SignFlags extends ServerAccessFlags {
  readonly key?: string;
  readonly content?: string;
  readonly signature?: string;
  readonly publicKey?: string;
}

/** Adds the command to `program`. */
export function register(program: Command): void {
  const command = program
    .command("sign")
    .description("sign a publication: its files, by their checksums, and its torrent")
    .argument("<publication>", "its name, or the address of its page")
    .option("--key <file>", "secret key, made by btpublisher key or minisign -G -W")
    .option("--content <path>", "first compare what the server published with what lies here")
    .option("--signature <file>", "or a signature of NAME.sha256 that minisign made")
    .option("--public-key <key>", "and the key that it is by")
    .addHelpText(
      "after",
      examples(
        "sign debian.iso --key minisign.key",
        "sign debian.iso --key minisign.key --content ./debian.iso",
        "sign debian.iso --signature debian.iso.sha256.minisig --public-key RWQ…",
      ),
    );
  addAccessOptions(command).action(action(sign));
}

async function sign(context: CommandContext<SignFlags>): Promise<void> {
  const { options, output } = context;
  const { signPublication } = await import("../signing.ts");
  const signer = await signerOf(options);
  const { api, name } = await openPublication(context);
  await signPublication({ api, output }, name, signer, options.content);
}

/** @throws USAGE unless there is a key, or a signature with its public key. */
async function signerOf({ key, signature, publicKey }: SignFlags): Promise<Signer> {
  const { readSecretKey, readSmallFile } = await import("../key-files.ts");
  const isGiven = signature !== undefined && publicKey !== undefined;
  if (isGiven && key === undefined) {
    return { type: "texts", publicKey, signature: await readSmallFile(signature) };
  }
  if (key !== undefined && signature === undefined && publicKey === undefined) {
    return { type: "key", key: await readSecretKey(key) };
  }
  const message = "say --key FILE, or --signature FILE.minisig together with --public-key KEY";
  throw new BtPublisherError("USAGE", message);
}
