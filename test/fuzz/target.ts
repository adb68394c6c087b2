/** What fuzzing runs through. */

/** One thing to fuzz: inputs to begin with, and what must hold for each. */
export interface Target {
  readonly corpus: readonly Uint8Array[];
  check(input: Uint8Array): void;
}
