/** `/`: what is published here. */
import type { ListedPublication } from "../announcer.ts";
import { type Html, html } from "./html.ts";
import { countText, dayText, page, sizeText } from "./layout.ts";

/** The page of `publications` (published ones only); `olderHref` leads to those before them. */
export function cataloguePage(
  publications: readonly ListedPublication[],
  olderHref: string | undefined,
): string {
  if (publications.length === 0) return page("Publications", nothing);
  const older =
    olderHref === undefined ? undefined : html`<p><a href="${olderHref}" rel="next">Older</a></p>`;
  return page(
    "Publications",
    html`<h1>Publications</h1>
<table>
<thead><tr><th scope="col">Name</th><th scope="col" class="number">Size</th>
<th scope="col" class="number">Peers</th><th scope="col">Published</th></tr></thead>
<tbody>
${publications.map(row)}
</tbody>
</table>
${older}`,
  );
}

const nothing = html`<h1>Publications</h1>
<p>Nothing is published here yet. Publish a file or a directory on this machine with</p>
<pre>btpublisher publish PATH</pre>`;

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
<td class="number">${sizeText(content.contentLength)}</td><td class="number">${peers}</td>
<td>${dayText(content.publishedAt)}</td></tr>
`;
}
