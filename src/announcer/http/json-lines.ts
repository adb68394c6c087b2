/** Answers that are one JSON object a line: progress while it is made, ledgers of any length. */
import { PassThrough, Readable } from "node:stream";
import { problemOf } from "./problem.ts";

/** Media type of JSON lines. */
export const JSON_LINES_TYPE = "application/x-ndjson";

/** One line. */
export function jsonLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** The lines of `items`, made as they are read; stops reading `items` when the reader leaves. */
export function linesOf<Item>(
  items: AsyncIterable<Item>,
  toJson: (item: Item) => object,
): Readable {
  return Readable.from(
    (async function* () {
      for await (const item of items) yield jsonLine(toJson(item));
    })(),
  );
}

/**
 * Runs `work` and streams what it tells. An error before its first news rejects, so that it can
 * have a status of its own; later ones are a last line `{"event":"error", ...}`. When the reader
 * leaves, `work` goes on.
 */
export async function streamWork(
  work: (tell: (event: object) => void) => Promise<object>,
): Promise<Readable> {
  const lines = new PassThrough();
  // A reader that left is nobody's error.
  lines.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    let isBegun = false;
    const tell = (event: object) => {
      isBegun = true;
      resolve();
      // A reader too slow for progress misses some of it: it is out of date anyhow.
      if (!lines.destroyed && !lines.writableNeedDrain) lines.write(jsonLine(event));
    };
    work(tell).then(
      (result) => {
        resolve();
        if (!lines.destroyed) lines.end(jsonLine(result));
      },
      (error: unknown) => {
        if (!isBegun) reject(error);
        else if (!lines.destroyed) lines.end(jsonLine({ event: "error", ...problemOf(error) }));
      },
    );
  });
  return lines;
}
