/** Which page is shown: the address, as a signal. Links to our own pages do not load them anew. */
import { createSignal } from "solid-js";

const [address, setAddress] = createSignal(new URL(location.href));

/** The address that is shown now. */
export { address };

/** Shows another page; its heading gets the focus, so that readers of screens hear it. */
export function navigate(to: string, how: "push" | "replace" = "push"): void {
  if (how === "push") history.pushState(undefined, "", to);
  else history.replaceState(undefined, "", to);
  setAddress(new URL(location.href));
  scrollTo(0, 0);
  hasNavigated = true;
}

let hasNavigated = false;

/** Whether the heading that comes now is that of a page somebody went to: it gets the focus, once. */
export function takesFocus(): boolean {
  const takes = hasNavigated;
  hasNavigated = false;
  return takes;
}

/** Follows the browser's buttons, and clicks on links to pages of this application. */
export function startRouter(): void {
  addEventListener("popstate", () => setAddress(new URL(location.href)));
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : undefined;
    if (!link || event.defaultPrevented || !isPlainClick(event)) return;
    if (link.target !== "" || link.hasAttribute("download") || !isOurs(new URL(link.href))) return;
    event.preventDefault();
    navigate(link.href);
  });
}

function isPlainClick(event: MouseEvent): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

function isOurs({ origin, pathname }: URL): boolean {
  return origin === location.origin && /^\/(?:admin|login|setup)(?:\/|$)/.test(pathname);
}

/** Where to go after a log-in: one of our own pages, whatever the address says (A17). */
export function nextPage(): string {
  const next = URL.parse(address().searchParams.get("next") ?? "", location.origin);
  const isPage = next?.origin === location.origin && /^\/admin(?:\/|$)/.test(next.pathname);
  return isPage ? next.pathname : "/admin";
}
