/** The frame of the publisher's pages: where one is, where one can go, and the way out. */
import { type JSX, Show } from "solid-js";
import { address } from "../router.ts";
import { logOut, me } from "../session/session.ts";

/** Whether the address is that page, or one below it. */
function current(path: string): "page" | undefined {
  const { pathname } = address();
  const isHere =
    path === "/admin" ? pathname === path || pathname.startsWith("/admin/p/") : pathname === path;
  return isHere ? "page" : undefined;
}

function name(): string | undefined {
  const user = me();
  return typeof user === "object" ? user.name : undefined;
}

/** The frame around a page. */
export function Frame(props: { readonly children: JSX.Element }) {
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="bar">
        <div>
          <a class="brand" href="/admin">
            <img src="/assets/icon.svg" alt="" />
            BTPublisher
          </a>
          <Show
            when={name()}
            fallback={
              <div class="end">
                <a href="/">Downloads</a>
              </div>
            }
          >
            <nav aria-label="Main">
              <a href="/admin" aria-current={current("/admin")}>
                Overview
              </a>
              <a href="/admin/publish" aria-current={current("/admin/publish")}>
                Publish
              </a>
              <a href="/">Downloads</a>
            </nav>
            <div class="end">
              <span class="small">
                <bdi>{name()}</bdi>
              </span>
              <button type="button" class="plain" onClick={() => void logOut()}>
                Log out
              </button>
            </div>
          </Show>
        </div>
      </header>
      <main id="main">{props.children}</main>
    </>
  );
}
