/** Sizes, rates, counts and times in the reader's own locale. */

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;

/** Formatters are dear to make and asked for twice a second: each is made once. */
const numberFormats = new Map<string, Intl.NumberFormat>();

function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options);
  const known = numberFormats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat(undefined, options);
  numberFormats.set(key, made);
  return made;
}

/** `value` scaled by thousands until it is below a thousand, with its unit. */
function scaled(bytes: number): { readonly value: number; readonly unit: string } {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return { value, unit: UNITS[unit] as string };
}

/** `1.5 GB` */
export function sizeText(bytes: number): string {
  const { value, unit } = scaled(bytes);
  const unitDisplay = unit === "byte" ? "long" : "short";
  const options = { style: "unit", unit, unitDisplay, maximumSignificantDigits: 3 } as const;
  return numberFormat(options).format(value);
}

/** `12.3 MB/s`; `bytes` a second. */
export function rateText(bytes: number): string {
  const { value, unit } = scaled(bytes < 500 ? 0 : bytes);
  const whole = unit === "byte" ? "kilobyte" : unit;
  const options = {
    style: "unit",
    unit: `${whole}-per-second`,
    unitDisplay: "short",
    maximumSignificantDigits: 3,
  } as const;
  return numberFormat(options).format(value);
}

/** `1,234` */
export function countText(count: number): string {
  return numberFormat({ maximumFractionDigits: 0 }).format(count);
}

/** `1.08 ×` */
export function timesText(ratio: number): string {
  return `${numberFormat({ minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(ratio)} ×`;
}

/** `43 %` */
export function percentText(fraction: number): string {
  return numberFormat({ style: "percent", maximumFractionDigits: 0 }).format(fraction);
}

/** A price; no currency is known, so none is shown. */
export function moneyText(amount: number): string {
  return numberFormat({ minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(amount);
}

/** `3 files`, `1 file` */
export function pluralText(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `2 min 5 sec`: the two largest units that count. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(whole / 86_400), "day"],
    [Math.floor(whole / 3600) % 24, "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  const shown = first === -1 ? parts.slice(-1) : parts.slice(first, first + 2);
  return shown
    .filter(([value], index) => index === 0 || value > 0)
    .map(([value, unit]) =>
      numberFormat({ style: "unit", unit, unitDisplay: "short" }).format(value),
    )
    .join(" ");
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const precise = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** `14:03:20`; `at` in Unix milliseconds. */
export function clockText(at: number): string {
  return clock.format(at);
}

/** `22 Nov 2026, 14:03` */
export function momentText(at: number): string {
  return moment.format(at);
}

/** `22 Nov 2026` */
export function dayText(at: number): string {
  return day.format(at);
}

/** `22 Nov 2026, 14:03:20` */
export function preciseText(at: number): string {
  return precise.format(at);
}
