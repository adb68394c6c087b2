/**
 * The end by a bug of ours: what is said of it passes the same filter as everything else, since an
 * error's message may have a key in it. Node by itself would print it as it is.
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { inspect } from "node:util";
import { exitCodes } from "../base/errors.ts";
import { redactSecrets } from "../base/redact.ts";

const STDERR = 2;

/** From now on the process ends so, with exit code 70. Call it once. */
export function crashWithoutSecrets(): void {
  // Tokens come by the environment; a report that an operator asked for is sent to others.
  process.report.excludeEnv = true;
  process.on("uncaughtException", (error) => {
    try {
      writeSync(STDERR, `${redactSecrets(inspect(error))}\n`);
    } finally {
      process.exit(exitCodes.software);
    }
  });
}
