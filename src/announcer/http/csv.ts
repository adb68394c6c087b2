/**
 * Tables as CSV (RFC 4180), for spreadsheets: those calculate what begins like a formula, and what is
 * in a table may come from strangers, so that such a cell gets an apostrophe in front.
 */

/** Media type of CSV. */
export const CSV_TYPE = "text/csv; charset=utf-8; header=present";

/** One row, with its end. */
export function csvRow(cells: readonly (string | number)[]): string {
  return `${cells.map(cellOf).join(",")}\r\n`;
}

function cellOf(value: string | number): string {
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
