/** The frame of every page, and the small words that pages share. No scripts: pages are plain. */
import { type Html, html } from "./html.ts";

/** A whole page as text. `title` is a name from outside as often as not: it is escaped. */
export function page(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/style.css">
</head>
<body>
<header><a href="/">Publications</a></header>
<main>
${content}
</main>
<footer>Served by BTPublisher. The more people download, the faster it gets.</footer>
</body>
</html>
`.text;
}

/** A page that says what is wrong. */
export function errorPage(heading: string, sentence: string): string {
  return page(heading, html`<h1>${heading}</h1>\n<p>${sentence}</p>`);
}

const UNITS = ["bytes", "kB", "MB", "GB", "TB", "PB"] as const;

/** `512 bytes`, `1.50 MB`: three digits that count, decimal units. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** `3 files`, `1 file`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A day that programs can read too. `at` in Unix milliseconds. */
export function dayText(at: number): Html {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)}</time>`;
}
