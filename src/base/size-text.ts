/** Sizes in words, the same on pages and terminals. */

const LARGER_UNITS = ["kB", "MB", "GB", "TB", "PB"] as const;

/**
 * A size in decimal units with three digits that count: `512 B`, `1.50 MB`, `2.93 GB`. `smallest` is
 * what bytes are called.
 */
export function sizeText(bytes: number, smallest: string): string {
  const units = [smallest, ...LARGER_UNITS];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < LARGER_UNITS.length) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}
