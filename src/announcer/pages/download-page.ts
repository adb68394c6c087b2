/** `/p/NAME`: every way to get a publication, and what to check the result with. */
import type { PublicationView } from "../announcer.ts";
import { type Html, html } from "./html.ts";
import { withdrawalText } from "../withdrawals.ts";
import { countText, dayText, page, sizeText } from "./layout.ts";

/** Files in the page's table: beyond it a page is slow to read, and the checksum list has all. */
const MAX_LISTED_FILES = 1000;

/** The page of one publication. */
export function downloadPage(view: PublicationView): string {
  const { contentName, contentLength, files, publishedAt, isDirectory } = view.publication.content;
  const magnet = view.magnet && html`<a class="button" href="${view.magnet}">Magnet link</a>`;
  const kind = isDirectory ? `, ${countText(files.length, "file")}` : "";
  return page(
    contentName,
    html`<h1><bdi>${contentName}</bdi></h1>
<p>${sizeText(contentLength)} (${contentLength} bytes)${kind}, published ${dayText(publishedAt)}.
${peersText(view)}</p>
${notice(view)}
<p class="actions">${directLink(view)}<a class="button" href="/p/${view.publication.name}.torrent"
download>Torrent file</a>
${magnet}</p>
${terminal(view)}
${fileTable(view)}
<h2>For the curious</h2>
<dl><dt>Info hash</dt><dd><code>${view.publication.content.infoHash}</code></dd></dl>`,
  );
}

function notice({ withdrawal }: PublicationView): Html | undefined {
  if (withdrawal === undefined) return undefined;
  return html`<p class="notice"><strong>Withdrawn.</strong> This server does not serve it at the
moment: ${withdrawalText(withdrawal)}. Peers that have it may still pass it on.</p>`;
}

function peersText(view: PublicationView): string {
  const { counts } = view;
  if (counts === undefined) return "The number of peers is not known right now.";
  const { complete, incomplete, downloaded } = counts;
  return (
    `${countText(complete, "seed")}, ${incomplete} downloading, ` +
    `${countText(downloaded, "completed download")}.`
  );
}

function directLink(view: PublicationView): Html | undefined {
  const [url] = view.fileUrls;
  if (view.publication.content.isDirectory || url === undefined) return undefined;
  return html`<a class="button main" href="${relative(view, url)}" download>Download</a>
`;
}

function terminal(view: PublicationView): Html {
  const { content } = view.publication;
  const [url] = view.fileUrls;
  const saveAs = content.isDirectory ? content.files[0]?.path.at(-1) : content.contentName;
  const curl =
    url === undefined
      ? undefined
      : html`<p>With curl${content.isDirectory ? " (one file at a time)" : ""}:</p>
<pre>curl -fL -C - -o ${shellQuote(saveAs ?? "")} ${shellQuote(url)}</pre>`;
  return html`<h2>From a terminal</h2>
<p>With our client, from peers and from here at once:</p>
<pre>btpublisher get ${shellQuote(view.pageUrl)}</pre>
${curl}`;
}

function fileTable(view: PublicationView): Html {
  const { files } = view.publication.content;
  const rest = files.length - MAX_LISTED_FILES;
  const more =
    rest > 0 ? html`<p>and ${countText(rest, "file")} more, in the checksum list.</p>` : undefined;
  return html`<h2>Files</h2>
<p><a href="/p/${view.publication.name}.sha256">Checksum list</a>, for
<code>sha256sum -c</code>.</p>
<table class="files">
<thead><tr><th scope="col">File</th><th scope="col" class="number">Size</th>
<th scope="col">SHA-256</th></tr></thead>
<tbody>
${files.slice(0, MAX_LISTED_FILES).map((file, index) => {
  const url = view.fileUrls[index];
  const name = html`<bdi>${file.path.join("/")}</bdi>`;
  const link =
    url === undefined ? name : html`<a href="${relative(view, url)}" download>${name}</a>`;
  return html`<tr><th scope="row">${link}</th><td class="number">${sizeText(file.length)}</td>
<td><code>${file.sha256}</code></td></tr>
`;
})}
</tbody>
</table>
${more}`;
}

/** Files at our own address are linked without it, so that the page works by any name it has. */
function relative(view: PublicationView, url: string): string {
  const origin = view.pageUrl.slice(0, view.pageUrl.lastIndexOf("/p/"));
  return url.startsWith(`${origin}/`) ? url.slice(origin.length) : url;
}

/** One word of a POSIX shell. */
function shellQuote(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
