/** Publishing, with patience: after a lost connection the server is asked again, and goes on. */
import type { ApiPublished } from "../../protocol/api/values.ts";
import { ApiError, hasStatus } from "../api.ts";

const TRY_AGAIN_MS = 2000;

/** Most tries in a row without a word of progress. */
const MAX_TRIES = 30;

/**
 * Has `publish` done, however often the connection breaks; `onProgress` hears the bytes hashed.
 * @throws ApiError when the server refuses.
 */
export async function publishPatiently(
  publish: (onProgress: (bytes: number) => void) => Promise<ApiPublished>,
  onProgress: (bytes: number) => void,
): Promise<ApiPublished> {
  for (let tries = 0; ; tries++) {
    try {
      return await publish((bytes) => {
        tries = 0;
        onProgress(bytes);
      });
    } catch (error) {
      const isRefused = error instanceof ApiError && !hasStatus(error, 0);
      if (isRefused || tries >= MAX_TRIES) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
  }
}
