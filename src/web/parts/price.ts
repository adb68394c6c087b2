/** What a gigabyte of the server's upload costs its reader: their number, kept in their browser. */
import { createSignal } from "solid-js";

const KEY = "btpublisher.price-per-gb";
const GB = 1e9;

/** What large clouds ask; the reader changes it. */
const DEFAULT_PRICE = 0.08;

const stored = Number(localStorage.getItem(KEY) ?? Number.NaN);
const [price, setSignal] = createSignal(isPrice(stored) ? stored : DEFAULT_PRICE);

/** Price of a gigabyte, in whatever currency the reader thinks in. */
export { price };

/** Changes the price; what is no price is not taken. */
export function setPrice(value: number): void {
  if (!isPrice(value)) return;
  localStorage.setItem(KEY, String(value));
  setSignal(value);
}

/** What sending `bytes` costs. */
export function costOf(bytes: number): number {
  return (bytes / GB) * price();
}

function isPrice(value: number): boolean {
  return Number.isFinite(value) && value >= 0 && value < 1e6;
}
