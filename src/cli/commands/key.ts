/** `btpublisher key`: makes the key pair that publications are signed with. */
import type { Command } from "commander";
import { action, type CommandContext, examples } from "../command.ts";

/** Adds the command to `program`. */
export function register(program: Command): void {
  program
    .command("key")
    .description(
      "make a key pair to sign publications with, in minisign's format without a password",
    )
    .argument("[file]", "where the secret key goes; the public key goes beside it", "minisign.key")
    .addHelpText(
      "after",
      `${examples("key", "key ~/keys/releases.key")}\n\nA key with a password: minisign -G, then see btpublisher sign --help.`,
    )
    .action(action(makeKey));
}

async function makeKey({ operands, output }: CommandContext<object>): Promise<void> {
  const { createKeyFiles } = await import("../key-files.ts");
  const path = operands[0] ?? "minisign.key";
  const publicKey = await createKeyFiles(path);
  const text = `${publicKey}

That is the public key: tell it to everybody, by other ways than the download page, too.
The secret key is in ${path}: keep it to yourself, and keep a copy.`;
  output.event("key", { publicKey, path, publicKeyPath: `${path}.pub` }, text);
}
