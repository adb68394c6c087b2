/** The frame of the publisher's pages: where one is, where one can go, and the way out. */
import { createSignal, For, type JSX, Show } from "solid-js";
import type { ApiScope } from "../../protocol/api/access.ts";
import { messageOf } from "../api.ts";
import { address } from "../router.ts";
import { account, logOut } from "../session/session.ts";
import { Trouble } from "./basics.tsx";

/** Where one can go, and what one must be let do for it. */
const pages: readonly { readonly path: string; readonly name: string; readonly scope: ApiScope }[] =
  [
    { path: "/admin", name: "Overview", scope: "read:stats" },
    { path: "/admin/publish", name: "Publish", scope: "publish" },
    { path: "/admin/access", name: "Access", scope: "download" },
  ];

/** Whether the address is that page, or one below it. */
function current(path: string): "page" | undefined {
  const { pathname } = address();
  const below = path === "/admin" ? "/admin/p/" : `${path}/`;
  return pathname === path || pathname.startsWith(below) ? "page" : undefined;
}

/** The frame around a page. */
export function Frame(props: { readonly children: JSX.Element }) {
  const [trouble, setTrouble] = createSignal<string>();
  const leave = (): void => {
    setTrouble();
    logOut().catch((error: unknown) => setTrouble(`Still logged in. ${messageOf(error)}`));
  };
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
            when={account()}
            fallback={
              <div class="end">
                <a href="/">Downloads</a>
              </div>
            }
          >
            {(user) => (
              <>
                <nav aria-label="Main">
                  <For each={pages.filter(({ scope }) => user().scopes.includes(scope))}>
                    {({ path, name }) => (
                      <a href={path} aria-current={current(path)}>
                        {name}
                      </a>
                    )}
                  </For>
                  <a href="/">Downloads</a>
                </nav>
                <div class="end">
                  <span class="small">
                    <bdi>{user().name}</bdi>
                  </span>
                  <button type="button" class="plain" onClick={leave}>
                    Log out
                  </button>
                </div>
              </>
            )}
          </Show>
        </div>
      </header>
      <main id="main">
        <Show when={trouble()}>
          <Trouble text={trouble()} />
        </Show>
        {props.children}
      </main>
    </>
  );
}
