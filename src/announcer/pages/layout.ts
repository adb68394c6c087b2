/** The frame of every page, and the small words that pages share. They all work without scripts. */
import { sizeText } from "../../base/size-text.ts";
import type { WebBuild, WebEntry } from "../../ports/web-build.ts";
import { type Html, html } from "./html.ts";

/** What a page consists of. */
export interface PageParts {
  /** A name from outside as often as not: it is escaped. */
  readonly title: string;
  readonly content: Html;
  /** Undefined while nothing is built: the page is plain then. */
  readonly web: WebBuild | undefined;
  /** The script that brings the page to life. */
  readonly script?: "download.ts";
}

/** A whole page as text. */
export function page({ title, content, web, script }: PageParts): string {
  return html`<!doctype html>
<html lang="en">
<head>
${head(title, web, script)}</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="bar narrow-bar"><div><a class="brand" href="/"><img src="/assets/icon.svg" alt="">Downloads</a>
<div class="end"><a href="/admin">Publish</a></div></div></header>
<main class="narrow" id="main">
${content}
</main>
<footer class="foot narrow-foot"><div>Served by BTPublisher. The more people download, the faster it gets.</div></footer>
</body>
</html>
`.text;
}

/** What stands in the head of a page. */
export function head(title: string, web: WebBuild | undefined, script?: ScriptName): Html {
  const style = web?.entry("style.css");
  const entry = script && web?.entry(script);
  return html`<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
${links(style)}${links(entry)}`;
}

type ScriptName = "download.ts" | "admin.tsx";

function links(entry: WebEntry | undefined): Html {
  const { script, styles = [], preloads = [] } = entry ?? {};
  const module = script && html`<script type="module" src="${script}"></script>\n`;
  return html`${styles.map((href) => html`<link rel="stylesheet" href="${href}">\n`)}${preloads.map(
    (href) => html`<link rel="modulepreload" href="${href}">\n`,
  )}${module}`;
}

/** A page that says what is wrong. */
export function errorPage(heading: string, sentence: string, web: WebBuild | undefined): string {
  const content = html`<div class="stack tight"><h1>${heading}</h1>\n<p>${sentence}</p>
<p><a href="/">All downloads</a></p></div>`;
  return page({ title: heading, content, web });
}

/** A size that scripts can put into the reader's locale. */
export function sizeData(bytes: number): Html {
  return html`<data class="size" value="${bytes}">${sizeText(bytes, "bytes")}</data>`;
}

/** `48,000,000` */
export function groupedText(count: number): string {
  return count.toLocaleString("en");
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
