/**
 * An upload by offset: each file in parts, going on after whatever broke. It knows neither the page
 * nor the network: both come in, so that tests can cut them.
 */

/** Bytes of one request: a lost connection costs at most one request's overhead, never its bytes. */
export const PART_BYTES = 32 * 1024 * 1024;

/** Bounds of the time between two tries, in milliseconds. */
const FIRST_WAIT_MS = 1000;
const LAST_WAIT_MS = 30_000;

/** What an upload needs of the world. */
export interface UploadWorld {
  /** The offset from which file `index` goes on. @throws Refusal, or anything else for a lost connection. */
  offset(index: number): Promise<number>;
  /** Appends `part` at `offset`; `onSent` hears how much of it left so far. */
  append(
    index: number,
    offset: number,
    part: Blob,
    how: { readonly signal: AbortSignal; readonly onSent: (bytes: number) => void },
  ): Promise<void>;
  /** Resolves after that time, or earlier when there is hope or `signal` is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** The server said no, and trying again would not help. */
export class Refusal extends Error {}

/** Files in the plan's order, with what the server holds of each. */
export interface UploadParts {
  readonly files: readonly Blob[];
  readonly receivedBytes: readonly number[];
}

/** How far it is. `trouble`: the connection is lost, it will try again. */
export interface UploadProgress {
  readonly sentBytes: number;
  readonly trouble: string | undefined;
}

/**
 * Sends all that the server lacks. @returns whether it is complete; false when `signal` was aborted.
 * @throws Refusal when the server does not take it.
 */
export async function upload(
  { files, receivedBytes }: UploadParts,
  world: UploadWorld,
  {
    signal,
    tell,
  }: { readonly signal: AbortSignal; readonly tell: (progress: UploadProgress) => void },
): Promise<boolean> {
  const held = [...receivedBytes];
  const sum = () => held.reduce((total, bytes) => total + bytes, 0);
  let waitMs = FIRST_WAIT_MS;
  for (const [index, file] of files.entries()) {
    while ((held[index] ?? 0) < file.size) {
      if (signal.aborted) return false;
      const offset = held[index] ?? 0;
      const others = sum() - offset;
      const part = file.slice(offset, offset + PART_BYTES);
      try {
        const onSent = (bytes: number): void =>
          tell({ sentBytes: others + offset + bytes, trouble: undefined });
        await world.append(index, offset, part, { signal, onSent });
        held[index] = offset + part.size;
        waitMs = FIRST_WAIT_MS;
        tell({ sentBytes: sum(), trouble: undefined });
      } catch (error) {
        if (error instanceof Refusal) throw error;
        if (signal.aborted) return false;
        tell({ sentBytes: sum(), trouble: messageOf(error) });
        await world.wait(waitMs, signal);
        waitMs = Math.min(waitMs * 2, LAST_WAIT_MS);
        held[index] = await offsetOr(offset, index, world);
        tell({ sentBytes: sum(), trouble: undefined });
      }
    }
  }
  return true;
}

/** What the server holds of a file; `before` while it still cannot be asked. */
async function offsetOr(before: number, index: number, world: UploadWorld): Promise<number> {
  try {
    return await world.offset(index);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    return before;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
