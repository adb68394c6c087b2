/**
 * Checks of parsed JSON, small enough to be seen to be right. A guard that says yes vouches for the
 * whole value; keys that it does not know are let pass, and nobody reads them.
 */

/** A check that tells the compiler what it found. */
export type Guard<Value> = (value: unknown) => value is Value;

type Guarded<SomeGuard> = SomeGuard extends Guard<infer Value> ? Value : never;

/** An object with at least the keys of `shape`. A key may be missing where its guard takes undefined. */
export function isObjectOf<Shape extends Record<string, Guard<unknown>>>(
  shape: Shape,
): Guard<{ readonly [Key in keyof Shape]: Guarded<Shape[Key]> }> {
  const guards = Object.entries(shape);
  return (value): value is { readonly [Key in keyof Shape]: Guarded<Shape[Key]> } =>
    typeof value === "object" &&
    value !== null &&
    guards.every(([key, guard]) =>
      guard(Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined),
    );
}

/** An array of at most `maxLength` elements that all pass `guard`. */
export function isArrayOf<Value>(guard: Guard<Value>, maxLength: number): Guard<readonly Value[]> {
  return (value): value is readonly Value[] =>
    Array.isArray(value) && value.length <= maxLength && value.every(guard);
}

/** What passes `guard`, or nothing. */
export function isOptional<Value>(guard: Guard<Value>): Guard<Value | undefined> {
  return (value): value is Value | undefined => value === undefined || guard(value);
}

/** This very value. */
export function isExactly<const Value extends string | number>(expected: Value): Guard<Value> {
  return (value): value is Value => value === expected;
}

/** One of these words. */
export function isOneOf<const Value extends string>(values: readonly Value[]): Guard<Value> {
  return (value): value is Value => values.includes(value as Value);
}

/** A string that matches `pattern` from begin to end where the pattern says so. */
export function isMatch(pattern: RegExp): Guard<string> {
  return (value): value is string => typeof value === "string" && pattern.test(value);
}

/** A string of at most `maxLength` UTF-16 units. */
export function isText(maxLength: number): Guard<string> {
  return (value): value is string => typeof value === "string" && value.length <= maxLength;
}

/** An integer, 0 ≤ value ≤ `most`. */
export function isInteger(most = Number.MAX_SAFE_INTEGER): Guard<number> {
  return (value): value is number =>
    Number.isSafeInteger(value) && 0 <= (value as number) && (value as number) <= most;
}

/** A finite number from 0 on. */
export function isAmount(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0;
}

/** True or false. */
export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}
