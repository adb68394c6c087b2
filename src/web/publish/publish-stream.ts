/** The request that publishes: JSON lines while the server works, the result last. */
import { ApiError, request } from "../api.ts";

/** A line of the answer. */
interface Line {
  readonly event: "progress" | "published" | "error";
  readonly bytes?: number;
  readonly name?: string;
  readonly status?: number;
  readonly detail?: string;
  readonly reason?: string;
}

const TRY_AGAIN_MS = 2000;

/** Most tries in a row without a word of progress. */
const MAX_TRIES = 30;

/**
 * Publishes; asked again, the server goes on where it is. `onProgress` hears the bytes hashed.
 * @returns the publication's name. @throws ApiError when the server refuses.
 */
export async function publishStream(
  path: string,
  body: unknown,
  onProgress: (bytes: number) => void,
): Promise<string> {
  for (let tries = 0; ; tries++) {
    try {
      const response = await request("POST", path, body);
      const end = await lastLine(response, (bytes) => {
        tries = 0;
        onProgress(bytes);
      });
      if (end?.event === "published") return end.name as string;
      if (end?.event === "error") {
        const { status = 500, reason = "", detail = "The server could not publish it." } = end;
        throw new ApiError(status, reason, detail);
      }
    } catch (error) {
      if (error instanceof ApiError && error.status !== 0) throw error;
      if (tries >= MAX_TRIES) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
  }
}

/** Reads to the end, or to where the connection broke. */
async function lastLine(
  response: Response,
  onProgress: (bytes: number) => void,
): Promise<Line | undefined> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let last: Line | undefined;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return last;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop() as string;
    for (const text of lines.filter((each) => each !== "")) {
      last = JSON.parse(text) as Line;
      if (last.event === "progress") onProgress(last.bytes ?? 0);
    }
  }
}
