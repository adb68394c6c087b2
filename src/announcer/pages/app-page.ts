/**
 * The frame of the publisher's pages (`/admin`, `/login`, `/setup`): one script makes all of them.
 * Without scripts it says what to do instead.
 */
import type { WebBuild } from "../../ports/web-build.ts";
import { html } from "./html.ts";
import { head } from "./layout.ts";

/** The page of the publisher's application. */
export function appPage(web: WebBuild): string {
  return html`<!doctype html>
<html lang="en">
<head>
${head("BTPublisher", web, "admin.tsx")}</head>
<body>
<div id="app"></div>
<noscript><main class="narrow"><div class="stack"><h1>This page needs scripts</h1>
<p>Everything it does, the command line does, too:</p>
<pre class="command">btpublisher user setup &#39;ADDRESS OF THE SET-UP LINK&#39; NAME
btpublisher publish PATH
btpublisher status</pre>
<p><a href="/">All downloads</a> work without.</p></div></main></noscript>
</body>
</html>
`.text;
}
