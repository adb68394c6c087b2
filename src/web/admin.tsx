/** The publisher's application: looks at the address, and shows the page for it. */
import {
  createEffect,
  createSignal,
  ErrorBoundary,
  lazy,
  Match,
  onMount,
  Show,
  Suspense,
  Switch,
} from "solid-js";
import { render } from "solid-js/web";
import { messageOf } from "./api.ts";
import { OverviewPage } from "./overview/overview-page.tsx";
import { Title, Trouble } from "./parts/basics.tsx";
import { Frame } from "./parts/frame.tsx";
import { address, navigate, startRouter } from "./router.ts";
import { LoginPage } from "./session/login-page.tsx";
import { loadSession, me } from "./session/session.ts";
import { SetupPage } from "./session/setup-page.tsx";

const PublishPage = lazy(async () => ({
  default: (await import("./publish/publish-page.tsx")).PublishPage,
}));
const PublicationPage = lazy(async () => ({
  default: (await import("./publication/publication-page.tsx")).PublicationPage,
}));

function App() {
  const [trouble, setTrouble] = createSignal<string>();
  const path = () => address().pathname.replace(/(?<=.)\/$/, "");
  createEffect(() => {
    if (!path().startsWith("/admin") || me() !== undefined) return;
    loadSession().catch((error: unknown) => setTrouble(messageOf(error)));
  });
  return (
    <Frame>
      <ErrorBoundary fallback={(error: unknown) => <Trouble text={messageOf(error)} />}>
        <Trouble text={trouble()} />
        <Switch fallback={<NotFound />}>
          <Match when={path() === "/setup"}>
            <SetupPage />
          </Match>
          <Match when={path() === "/login"}>
            <LoginPage />
          </Match>
          <Match when={path().startsWith("/admin") && me() !== undefined}>
            <Show when={me() !== "nobody"} fallback={<ToLogin />}>
              <Suspense fallback={<p class="quiet">Loading …</p>}>
                <AdminPage path={path()} />
              </Suspense>
            </Show>
          </Match>
          <Match when={path().startsWith("/admin")}>
            <></>
          </Match>
        </Switch>
      </ErrorBoundary>
    </Frame>
  );
}

function AdminPage(props: { readonly path: string }) {
  const parts = () => props.path.split("/").slice(2).map(decode);
  const name = () => (parts()[0] === "p" ? parts()[1] : undefined);
  return (
    <Switch fallback={<NotFound />}>
      <Match when={props.path === "/admin"}>
        <OverviewPage />
      </Match>
      <Match when={props.path === "/admin/publish"}>
        <PublishPage />
      </Match>
      <Match when={name()} keyed>
        {(known) => <PublicationPage name={known} section={parts()[2] ?? ""} />}
      </Match>
    </Switch>
  );
}

/** What is no good encoding is a name that nothing has. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function ToLogin() {
  onMount(() => navigate(`/login?next=${encodeURIComponent(address().pathname)}`, "replace"));
  return <></>;
}

function NotFound() {
  return (
    <div class="stack tight">
      <Title text="There is nothing here" />
      <p>
        <a href="/admin">Back to the overview</a>
      </p>
    </div>
  );
}

startRouter();
render(() => <App />, document.querySelector("#app") as HTMLElement);
