/** Reads server-sent events from bytes as they come: `event` and `data`, which are all that we send. */

/** One event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** The events of a stream, until it ends. Lines end with a line feed. */
export async function* eventsOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<ServerEvent> {
  for await (const block of blocksOf(chunks)) {
    const fields = block.split("\n");
    const field = (name: string) =>
      fields
        .filter((line) => line.startsWith(`${name}: `))
        .map((line) => line.slice(name.length + 2));
    const data = field("data");
    if (data.length > 0) yield { event: field("event").at(-1) ?? "message", data: data.join("\n") };
  }
}

/** The lines of a stream, until it ends. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  yield* split(chunks, "\n");
}

function blocksOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  return split(chunks, "\n\n");
}

/** What stands before each `separator`. */
async function* split(chunks: AsyncIterable<Uint8Array>, separator: string): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(separator);
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}

/** The chunks of a body; leaving the loop cancels it. Not every browser can iterate a stream. */
export async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
