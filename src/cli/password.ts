/**
 * Passwords for commands: from a file, from the environment, or typed where nobody sees them. Never
 * from the command line, which every program on the machine can read.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { diskError } from "../adapters/node/disk-error.ts";
import { BtPublisherError } from "../base/errors.ts";

/** Secrets may come from the environment; other settings do not. */
const VARIABLE = "BTPUBLISHER_PASSWORD";

/** The password in the file at `path`, in the environment, or as it is typed. @throws USAGE */
export async function readPassword(path: string | undefined, question: string): Promise<string> {
  const given = process.env[VARIABLE];
  if (path !== undefined) return readPasswordFile(path);
  if (given !== undefined) return given;
  if (process.stdin.isTTY) return typedPassword(question, process.stdin, process.stderr);
  const message = `a password is needed: --password-file FILE, or ${VARIABLE}`;
  throw new BtPublisherError("USAGE", message);
}

async function readPasswordFile(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).replace(/\r?\n$/, "");
  } catch (cause) {
    throw diskError(cause, "read", path);
  }
}

/** Asks on a terminal; what is typed is not shown. @throws CANCELLED when nothing is. */
export function typedPassword(
  question: string,
  input: NodeJS.ReadableStream,
  prompt: NodeJS.WritableStream,
): Promise<string> {
  prompt.write(`${question}: `);
  const nowhere = new Writable({ write: (_bytes, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true });
  return new Promise((resolve, reject) => {
    lines.once("line", (line) => {
      // Before the end, which is told at once.
      resolve(line);
      lines.close();
      prompt.write("\n");
    });
    lines.once("close", () => reject(new BtPublisherError("CANCELLED", "no password was typed")));
  });
}
