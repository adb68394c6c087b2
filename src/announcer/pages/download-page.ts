/** `/p/NAME`: every way to get a publication, and what to check the result with. */
import { shellQuote } from "../../base/shell-quote.ts";
import type { WebBuild } from "../../ports/web-build.ts";
import type { PublicationView } from "../announcer.ts";
import { withdrawalText } from "../withdrawals.ts";
import { type Html, html } from "./html.ts";
import { countText, dayText, groupedText, page, sizeData } from "./layout.ts";
import { stateText } from "../../protocol/api/state-text.ts";

/** Files in the page's table: beyond it a page is slow to read, and the checksum list has all. */
const MAX_LISTED_FILES = 1000;

/** The page of one publication. */
export function downloadPage(view: PublicationView, web: WebBuild | undefined): string {
  const { name, content: published } = view.publication;
  const { contentName, contentLength, files, publishedAt, isDirectory } = published;
  const kind = isDirectory ? html` · ${countText(files.length, "file")}` : undefined;
  const content = html`<div class="stack wide">
<div class="hero">
<div class="stack tight"><h1><bdi>${contentName}</bdi></h1>
<p class="quiet">${sizeData(contentLength)}${kind} · published ${dayText(publishedAt)}</p></div>
${notice(view)}
${mainButton(view)}
${live(view)}
${otherWays(view)}
</div>
${terminal(view)}
${fileTable(view)}
${signed(view)}
<section class="stack tight"><h2>For the curious</h2>
<dl class="facts"><dt>Name here</dt><dd><code>${name}</code></dd>
<dt>Size</dt><dd>${groupedText(contentLength)} bytes</dd>
<dt>Info hash</dt><dd><code>${published.infoHash}</code></dd></dl></section>
</div>`;
  return page({ title: contentName, content, web, script: "download.ts" });
}

function notice({ withdrawal }: PublicationView): Html | undefined {
  if (withdrawal === undefined) return undefined;
  return html`<p class="notice bad"><strong>Withdrawn.</strong> This server does not serve it at the
moment: ${withdrawalText(withdrawal)}. Peers that have it may still pass it on.</p>`;
}

const arrow = html`<svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="2"
stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M10 3v10M5.5 8.5 10 13l4.5-4.5M4 17h12"/></svg>`;

/** The best for somebody who knows nothing of torrents: one file straight, of a folder its torrent. */
function mainButton(view: PublicationView): Html {
  const [url] = view.fileUrls;
  if (view.publication.content.isDirectory || url === undefined) {
    return html`<a class="button main big" href="/p/${view.publication.name}.torrent"
download>${arrow} Download the torrent</a>`;
  }
  return html`<a class="button main big" href="${relative(view, url)}" download>${arrow} Download</a>`;
}

/** What the script keeps up to date; without it, how things were when the page was made. */
function live(view: PublicationView): Html {
  const { name } = view.publication;
  const { counts } = view;
  const state = counts?.participation?.state ?? "S0";
  return html`<p class="live" data-live="${name}"><span class="dot ${state}" aria-hidden="true"></span>
<span data-live-text>${stateText(counts)}</span></p>`;
}

function otherWays(view: PublicationView): Html {
  const { name, content } = view.publication;
  const hasMain = !content.isDirectory && view.fileUrls[0] !== undefined;
  const torrent =
    hasMain && html`<a class="button" href="/p/${name}.torrent" download>Torrent file</a>`;
  const magnet = view.magnet && html`<a class="button" href="${view.magnet}">Magnet link</a>`;
  const hint = hasMain
    ? "With a BitTorrent client you also get it from other people, and help them."
    : "Open it with any BitTorrent client. Single files are below.";
  return html`<div class="stack tight"><p class="ways">${torrent || undefined}
${magnet}</p>
<p class="quiet small">${hint}</p></div>`;
}

function terminal(view: PublicationView): Html {
  const { content, access } = view.publication;
  const isPublic = access.catalogue === "public";
  const [url] = view.fileUrls;
  const saveAs = content.isDirectory ? content.files[0]?.path.at(-1) : content.contentName;
  const curl =
    url === undefined
      ? undefined
      : html`<p class="quiet small">With curl${content.isDirectory ? ", one file at a time" : ""}${
          isPublic ? "" : ", from the address that looks at this page"
        }</p>
<pre class="command" tabindex="0">curl -fL -C - -o ${shellQuote(saveAs ?? "")} ${shellQuote(url)}</pre>`;
  return html`<section class="stack tight"><h2>From a terminal</h2>
<p class="quiet small">With our client, from other people and from here at once; it resumes by itself${
    isPublic ? "" : html`. It takes your token from <code>BTPUBLISHER_TOKEN</code>`
  }</p>
<pre class="command" tabindex="0">${getCommand(view)}</pre>
${curl}</section>`;
}

function fileTable(view: PublicationView): Html {
  const { files } = view.publication.content;
  const rest = files.length - MAX_LISTED_FILES;
  const more =
    rest > 0 ? html`<p>and ${countText(rest, "file")} more, in the checksum list.</p>` : undefined;
  return html`<section class="stack tight"><div class="row spread baseline"><h2>Files</h2>
<p class="small"><a href="/p/${view.publication.name}.sha256">Checksum list</a> <span class="quiet">for
<code>sha256sum -c</code></span></p></div>
<div class="card">
<table class="files">
<thead><tr><th scope="col">File</th><th scope="col" class="number">Size</th>
<th scope="col">SHA-256</th></tr></thead>
<tbody>
${files.slice(0, MAX_LISTED_FILES).map((file, index) => {
  const url = view.fileUrls[index];
  const name = html`<bdi>${file.path.join("/")}</bdi>`;
  const link =
    url === undefined ? name : html`<a href="${relative(view, url)}" download>${name}</a>`;
  return html`<tr><th scope="row">${link}</th><td class="number">${sizeData(file.length)}</td>
<td><code>${file.sha256}</code></td></tr>
`;
})}
</tbody>
</table>
</div>
${more}</section>`;
}

/** Who signed the checksum list, and how to check that by hand. Whose key it is, a page cannot say. */
function signed(view: PublicationView): Html | undefined {
  const { name, content } = view.publication;
  const { signature } = content;
  if (signature === undefined) return undefined;
  const { publicKey, signedAt } = signature;
  const day = signedAt === undefined ? undefined : html` on ${dayText(signedAt)}`;
  return html`<section class="stack tight"><div class="row spread baseline"><h2>Signature</h2>
<p class="small"><a href="/p/${name}.sha256.minisig" download>Signature of the checksum list</a></p></div>
<p>Signed by <code>${publicKey}</code>${day}.</p>
<p class="quiet small">It proves that the files are the publisher's if that is the publisher's key: compare it with what
the publisher says elsewhere. With the checksum list and its signature in one folder:</p>
<pre class="command" tabindex="0">minisign -Vm ${name}.sha256 -P ${publicKey}</pre>
<p class="quiet small">Our client checks that before it downloads:</p>
<pre class="command" tabindex="0">${getCommand(view)} --signed-by ${publicKey}</pre></section>`;
}

/** Files at our own address are linked without it, so that the page works by any name it has. */
function relative(view: PublicationView, url: string): string {
  const origin = originOf(view);
  return url.startsWith(`${origin}/`) ? url.slice(origin.length) : url;
}

/** Whoever needs a token has it in BTPUBLISHER_TOKEN, which goes to a server that is named only. */
function getCommand(view: PublicationView): string {
  const isPublic = view.publication.access.catalogue === "public";
  const server = isPublic ? "" : ` --server ${shellQuote(originOf(view))}`;
  return `btpublisher get ${shellQuote(view.pageUrl)}${server}`;
}

/** Where this server is, as others call it. */
function originOf({ pageUrl }: PublicationView): string {
  return pageUrl.slice(0, pageUrl.lastIndexOf("/p/"));
}
