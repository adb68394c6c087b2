/** Checks of our own code. A failed assertion is a bug of ours, never somebody's bad input. */

/** Thrown for a broken invariant of our own. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** @throws AssertionError with `message` when `condition` is false. Stays on in production. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** The end of an exhaustive switch: does not compile when a variant is left out. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected variant ${JSON.stringify(value)}`);
}
