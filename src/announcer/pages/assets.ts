/** What pages load: one style sheet and one icon. */

/** `/assets/style.css` */
export const styleSheet = `:root {
  color-scheme: light dark;
  --ink: #1c2024;
  --quiet: #5b6470;
  --paper: #fbfbfa;
  --line: #dcdfe3;
  --box: #f0f1f2;
  --accent: #1a5fb4;
  --on-accent: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e4e6e9;
    --quiet: #a0a8b2;
    --paper: #16181b;
    --line: #33383e;
    --box: #212429;
    --accent: #8ab4f0;
    --on-accent: #10151b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto;
  padding: 1.5rem;
  max-width: 60rem;
  font: 1rem/1.55 system-ui, sans-serif;
  color: var(--ink);
  background: var(--paper);
}
header, footer, small { color: var(--quiet); font-size: 0.875rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h1 { margin: 1.5rem 0 0.5rem; font-size: 1.75rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 2.25rem 0 0.5rem; font-size: 1.125rem; }
a { color: var(--accent); text-underline-offset: 0.15em; }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.5rem 0.75rem 0.5rem 0; text-align: left; vertical-align: top; }
th { font-weight: 500; overflow-wrap: anywhere; }
thead th { color: var(--quiet); font-size: 0.875rem; font-weight: 400; }
tbody tr { border-top: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.files code { font-size: 0.75rem; overflow-wrap: anywhere; }
.actions { display: flex; flex-wrap: wrap; gap: 0.75rem; margin: 1.5rem 0; }
.button {
  padding: 0.5rem 1rem;
  border: 1px solid var(--accent);
  border-radius: 0.375rem;
  text-decoration: none;
}
.button.main { background: var(--accent); color: var(--on-accent); }
.notice { padding: 0.5rem 1rem; border-left: 3px solid var(--accent); background: var(--box); }
code, pre { font-family: ui-monospace, monospace; }
pre {
  margin: 0.5rem 0;
  padding: 0.75rem 1rem;
  overflow-x: auto;
  border-radius: 0.375rem;
  background: var(--box);
}
dt { color: var(--quiet); font-size: 0.875rem; }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  .files td:last-child, .files th:last-child { display: block; padding-top: 0; }
  .files tr { display: grid; grid-template-columns: 1fr auto; }
  .files td:last-child { grid-column: 1 / -1; }
}
`;

/** `/assets/icon.svg`: one source, many peers. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<g fill="none" stroke="#1a5fb4" stroke-width="2"><path d="M16 16 6 7M16 16l10-9M16 16v12"/></g>
<g fill="#1a5fb4"><circle cx="16" cy="16" r="5"/><circle cx="6" cy="7" r="3"/>
<circle cx="26" cy="7" r="3"/><circle cx="16" cy="28" r="3"/></g>
</svg>
`;
