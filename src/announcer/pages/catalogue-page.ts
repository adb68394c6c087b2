/** `/`: what is published here. */
import type { WebBuild } from "../../ports/web-build.ts";
import type { ListedPublication } from "../announcer.ts";
import { type Html, html } from "./html.ts";
import { countText, dayText, page, sizeData } from "./layout.ts";

/** The page of `publications` (published ones only); `olderHref` leads to those before them. */
export function cataloguePage(
  publications: readonly ListedPublication[],
  olderHref: string | undefined,
  web: WebBuild | undefined,
): string {
  const older =
    olderHref === undefined ? undefined : html`<p><a href="${olderHref}" rel="next">Older</a></p>`;
  const content =
    publications.length === 0
      ? nothing
      : html`<div class="stack"><h1>Downloads</h1>
<div class="card">
<table class="cards">
<thead><tr><th scope="col">Name</th><th scope="col" class="number">Size</th>
<th scope="col" class="number">Peers</th><th scope="col" class="number">Published</th></tr></thead>
<tbody>
${publications.map(row)}
</tbody>
</table>
</div>
${older}</div>`;
  return page({ title: "Downloads", content, web, script: "download.ts" });
}

const nothing = html`<div class="stack"><h1>Downloads</h1>
<div class="card empty"><p>Nothing is published here yet.</p>
<p class="quiet">Publish a file or folder <a href="/admin/publish">in the browser</a>, or on this machine with</p>
<pre class="command">btpublisher publish PATH</pre></div></div>`;

function row(publication: ListedPublication): Html {
  const { name, content, counts, withdrawal } = publication;
  if (content === undefined) return html``;
  const peers =
    counts === undefined
      ? html`unknown`
      : html`<span title="${countText(counts.complete, "seed")}, ${counts.incomplete} downloading">${
          counts.complete + counts.incomplete
        }</span>`;
  return html`<tr><th scope="row"><a href="/p/${name}"><bdi>${content.contentName}</bdi></a>
<small>${content.isDirectory ? countText(content.fileCount, "file") : undefined}
${withdrawal && "withdrawn"}</small></th>
<td class="number" data-label="Size">${sizeData(content.contentLength)}</td>
<td class="number" data-label="Peers">${peers}</td>
<td class="number" data-label="Published">${dayText(content.publishedAt)}</td></tr>
`;
}
