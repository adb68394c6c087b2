/** The publisher's application: looks at the address, and shows the page for it. */
import {
  createEffect,
  createSignal,
  ErrorBoundary,
  lazy,
  Match,
  on,
  onMount,
  Suspense,
  Switch,
} from "solid-js";
import { render } from "solid-js/web";
import type { ApiAccount } from "../protocol/api/access.ts";
import { messageOf } from "./api.ts";
import { OverviewPage } from "./overview/overview-page.tsx";
import { Title, Trouble } from "./parts/basics.tsx";
import { Frame } from "./parts/frame.tsx";
import { address, navigate, startRouter } from "./router.ts";
import { LoginPage } from "./session/login-page.tsx";
import { account, loadSession, me } from "./session/session.ts";
import { SetupPage } from "./session/setup-page.tsx";

const PublishPage = lazy(async () => ({
  default: (await import("./publish/publish-page.tsx")).PublishPage,
}));
const AccessPage = lazy(async () => ({
  default: (await import("./access/access-page.tsx")).AccessPage,
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
      <ErrorBoundary fallback={(error, reset) => <Broken error={error} onLeave={reset} />}>
        <Trouble text={trouble()} />
        <Switch>
          <Match when={path() === "/setup"}>
            <SetupPage />
          </Match>
          <Match when={path() === "/login"}>
            <LoginPage />
          </Match>
          <Match when={me() === "nobody"}>
            <ToLogin />
          </Match>
          <Match when={account()}>
            {(known) => (
              <Suspense fallback={<p class="quiet">Loading …</p>}>
                <AdminPage path={path()} me={known()} />
              </Suspense>
            )}
          </Match>
        </Switch>
      </ErrorBoundary>
    </Frame>
  );
}

/** What no page of its own catches: one of its files cannot be loaded, say, after an update. */
function Broken(props: { readonly error: unknown; readonly onLeave: () => void }) {
  createEffect(on(address, () => props.onLeave(), { defer: true }));
  return (
    <div class="stack">
      <Trouble text="This page cannot be shown. Is the network up? After an update of the server it must be loaded anew." />
      <p class="quiet small">{messageOf(props.error)}</p>
      <div>
        <button type="button" onClick={() => location.reload()}>
          Load it anew
        </button>
      </div>
    </div>
  );
}

function AdminPage(props: { readonly path: string; readonly me: ApiAccount }) {
  const parts = () => props.path.split("/").slice(2).map(decode);
  const name = () => (parts()[0] === "p" ? parts()[1] : undefined);
  const seesSwarms = () => props.me.scopes.includes("read:stats");
  return (
    <Switch fallback={<NotFound />}>
      <Match when={parts()[0] === "access" || !seesSwarms()}>
        <AccessPage me={props.me} section={parts()[1]} name={parts()[2]} />
      </Match>
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

/** To the log-in, and back to this page after it. */
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
