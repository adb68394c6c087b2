/** The icon of all pages, which needs no building. */

/** `/assets/icon.svg`: one source, many peers. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#0b57c2"/>
<g fill="none" stroke="#ffffff" stroke-width="2" stroke-linecap="round"><path d="M16 16 8.5 9.5M16 16l7.5-6.5M16 16v8.5"/></g>
<g fill="#ffffff"><circle cx="16" cy="16" r="4.5"/><circle cx="8" cy="9" r="2.75"/>
<circle cx="24" cy="9" r="2.75"/><circle cx="16" cy="25" r="2.75"/></g>
</svg>
`;
