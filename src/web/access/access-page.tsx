/** `/admin/access`: accounts, tokens, grants and the audit log, as far as one's role goes. */
import { For, Match, Show, Switch } from "solid-js";
import type { ApiAccount } from "../../protocol/api/access.ts";
import { Title } from "../parts/basics.tsx";
import { address } from "../router.ts";
import { AccountPage } from "./account-page.tsx";
import { AccountsSection } from "./accounts-section.tsx";
import { AuditSection } from "./audit-section.tsx";
import { GrantList } from "./grant-list.tsx";
import { TokenList } from "./token-list.tsx";

const sections = [
  { path: "accounts", name: "Accounts", for: ["maintainer"] },
  { path: "tokens", name: "Tokens", for: ["maintainer", "publisher", "downloader"] },
  { path: "grants", name: "Grants", for: ["maintainer", "publisher"] },
  { path: "audit", name: "Audit log", for: ["maintainer"] },
] as const;

/** The page; `section` and `name`: what the address has behind `/admin/access`. */
export function AccessPage(props: {
  readonly me: ApiAccount;
  readonly section: string | undefined;
  readonly name: string | undefined;
}) {
  const mine = () =>
    sections.filter((each) => (each.for as readonly string[]).includes(props.me.role));
  const isMaintainer = () => props.me.role === "maintainer";
  const wanted = () => props.section ?? mine()[0]?.path;
  const section = () => mine().find(({ path }) => path === wanted())?.path;
  const publication = () => address().searchParams.get("publication") ?? undefined;
  const owner = () => (isMaintainer() ? undefined : props.me.name);
  return (
    <div class="stack wide">
      <div class="stack tight">
        <Show when={props.name}>
          <p class="small">
            <a href="/admin/access">All accounts</a>
          </p>
        </Show>
        <Title text={props.name ?? "Access"} />
        <Show when={props.name === undefined}>
          <nav class="tabs" aria-label="Access">
            <For each={mine()}>
              {({ path, name }) => (
                <a
                  href={`/admin/access/${path}`}
                  aria-current={section() === path ? "page" : undefined}
                >
                  {name}
                </a>
              )}
            </For>
          </nav>
        </Show>
      </div>
      <Switch fallback={<p>There is nothing here.</p>}>
        <Match when={section() === "accounts" && props.name} keyed>
          {(name) => <AccountPage name={name} />}
        </Match>
        <Match when={section() === "accounts"}>
          <AccountsSection />
        </Match>
        <Match when={section() === "tokens"}>
          <TokenList of={owner()} maker={props.me} />
        </Match>
        <Match when={section() === "grants"}>
          <GrantList of={undefined} isMaintainer={isMaintainer()} publication={publication()} />
        </Match>
        <Match when={section() === "audit"}>
          <AuditSection />
        </Match>
      </Switch>
    </div>
  );
}
