/** The service key that roles on several machines share: theirs is a copy of the Tracker's. */
import { stat } from "node:fs/promises";
import { readOrCreateKey } from "../../adapters/node/key-file.ts";
import { fromHex } from "../../base/bytes.ts";
import { BtPublisherError } from "../../base/errors.ts";

/** Secrets may come from the environment; other settings do not. */
const VARIABLE = "BTPUBLISHER_CONTROL_KEY";

/**
 * The key for a role that joins a Tracker: from the environment, else from the file at `path`.
 * @throws CONFIG when there is none, or it is none.
 */
export async function readControlKey(
  path: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Uint8Array> {
  const text = environment[VARIABLE];
  if (text !== undefined) {
    const key = fromHex(text.trim());
    if (key?.length === 32) return key;
    throw new BtPublisherError("CONFIG", `${VARIABLE} is no key: 64 hexadecimal digits`);
  }
  if (path === undefined) {
    const message = `a service key is needed: copy control.key from the Tracker's data folder and name it with --control-key, or put it into ${VARIABLE}`;
    throw new BtPublisherError("CONFIG", message);
  }
  await stat(path).catch((cause: unknown) => {
    throw new BtPublisherError("CONFIG", `there is no service key at ${path}`, { cause });
  });
  return readOrCreateKey(path);
}
