/** The Range header of HTTP (RFC 9110, section 14), for one range; several are answered whole. */

/** Which bytes to send. */
export type RangeDecision =
  /** No range, or one that is not to be understood: everything. */
  | { readonly type: "whole" }
  /** `end` is exclusive and above `start`. */
  | { readonly type: "part"; readonly start: number; readonly end: number }
  /** Nothing of it exists: 416. */
  | { readonly type: "unsatisfiable" };

/** What the value of a Range header asks of `length` bytes. */
export function decideRange(value: string | undefined, length: number): RangeDecision {
  // Several ranges would need a multipart body; a server may always answer with everything.
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(value ?? "");
  if (match === null) return { type: "whole" };
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return { type: "whole" };
  if (first === "") return partOf(length - Math.min(length, Number(last)), length);
  // Numbers beyond 2^53 lose digits, and stay beyond every length all the same.
  const end = last === "" ? length : Math.min(length, Number(last) + 1);
  return partOf(Number(first), end);
}

function partOf(start: number, end: number): RangeDecision {
  return start < end ? { type: "part", start, end } : { type: "unsatisfiable" };
}
