/**
 * Has answers go out together, once everything that came in a turn of the event loop was read: where
 * many come together that costs less than one by one (docs/performance.md).
 */

/** Something that has answers to send. */
export interface Flushable {
  /** Sends them. Must not throw. */
  flush(): void;
}

let waiting: Flushable[] = [];

/** Calls `each.flush` when all that came in this turn was read. */
export function flushAtEndOfTurn(each: Flushable): void {
  if (waiting.push(each) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const all = waiting;
  waiting = [];
  for (const each of all) each.flush();
}
