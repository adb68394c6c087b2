/** `/setup`: what the set-up link is for. The secret is behind its `#`, which browsers do not send. */
import { html } from "./html.ts";
import { page } from "./layout.ts";

/** The page that the set-up link leads to. */
export function setupPage(): string {
  return page(
    "Set up",
    html`<h1>Make the first maintainer</h1>
<p>Copy the whole address of this page, and run in a terminal:</p>
<pre><code>btpublisher user setup &#39;ADDRESS&#39; NAME</code></pre>
<p>It works once, within a day after the server was started.</p>`,
  );
}
