/** `/admin/p/NAME`: one publication. Its sections have addresses of their own. */
import { createEffect, For, Match, Switch } from "solid-js";
import { openStream } from "../live-stream.ts";
import { Title } from "../parts/basics.tsx";
import { StreamNote } from "../parts/stream-note.tsx";
import { LedgerSection } from "./ledger-section.tsx";
import { LiveSection } from "./live-section.tsx";
import { PolicySection } from "./policy-section.tsx";
import { RateHistory } from "./rate-history.ts";
import { ShareSection } from "./share-section.tsx";

const sections = [
  { path: "", name: "Swarm" },
  { path: "ledger", name: "Ledger" },
  { path: "policy", name: "Policy" },
  { path: "share", name: "Share" },
] as const;

/** The page; `section`: the part of the address behind the name. */
export function PublicationPage(props: { readonly name: string; readonly section: string }) {
  const history = new RateHistory();
  const stream = openStream((client) => client.watchPublication(props.name));
  createEffect(() => {
    const state = stream.state();
    if (state !== undefined) history.add(state.at, state.rates);
  });
  const title = () => stream.state()?.summary.contentName ?? props.name;
  const base = `/admin/p/${encodeURIComponent(props.name)}`;
  return (
    <div class="stack wide">
      <div class="stack tight">
        <div class="row baseline">
          <Title text={title()} />
          <StreamNote status={stream.status()} />
        </div>
        <nav class="tabs" aria-label="Publication">
          <For each={sections}>
            {({ path, name }) => (
              <a
                href={path === "" ? base : `${base}/${path}`}
                aria-current={props.section === path ? "page" : undefined}
              >
                {name}
              </a>
            )}
          </For>
        </nav>
      </div>
      <Switch fallback={<p>There is nothing here.</p>}>
        <Match when={props.section === "share"}>
          <ShareSection name={props.name} />
        </Match>
        <Match when={stream.status() === "gone"}>
          <p class="card">
            There is no publication of that name (any more). <a href="/admin">To the overview</a>
          </p>
        </Match>
        <Match when={props.section === "ledger"}>
          <LedgerSection name={props.name} />
        </Match>
        <Match when={props.section === "policy"}>
          <PolicySection name={props.name} detail={stream.state()} />
        </Match>
        <Match when={props.section === ""}>
          <LiveSection detail={stream.state()} history={history} />
        </Match>
      </Switch>
    </div>
  );
}
