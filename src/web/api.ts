/** The server's API in its own pages: the package's client, and what it throws in words. */
import { ApiError, Client } from "../client/client.ts";

export { ApiError } from "../client/client.ts";

/** The server that the page came from; its session is known by a cookie. */
export const api = new Client({ url: "" });

/** Statuses of what was not done, and will not be done: from 500 on nobody knows. */
function isRefused(error: unknown): boolean {
  return error instanceof ApiError && error.problem.status >= 400 && error.problem.status < 500;
}

/**
 * Has the server make something at `path`. Whoever presses the button again because no answer came
 * gets what the first press made, and not a second one.
 */
export function createMaker<T>(path: string): (body: object) => Promise<T> {
  let last: { readonly text: string; readonly key: string } | undefined;
  return async (body) => {
    const text = JSON.stringify(body);
    if (last?.text !== text) last = { text, key: randomKey() };
    try {
      const made = await api.call<T>("POST", path, body, { "idempotency-key": last.key });
      last = undefined;
      return made;
    } catch (error) {
      if (isRefused(error)) last = undefined;
      throw error;
    }
  };
}

/** `randomUUID` would need HTTPS. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join(
    "-",
  );
}

/** Whether the server answered with that status. */
export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.problem.status === status;
}

/** An error in words: a sentence. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
