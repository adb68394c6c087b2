/** `/login` */
import { createSignal } from "solid-js";
import { messageOf } from "../api.ts";
import { Field, Title, Trouble } from "../parts/basics.tsx";
import { navigate, nextPage } from "../router.ts";
import { logIn } from "./session.ts";

/** The page to log in. */
export function LoginPage() {
  const [name, setName] = createSignal("");
  const [password, setPassword] = createSignal("");
  const [trouble, setTrouble] = createSignal<string>();
  const [isBusy, setIsBusy] = createSignal(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setIsBusy(true);
    setTrouble();
    try {
      await logIn(name().trim(), password());
      navigate(nextPage(), "replace");
    } catch (error) {
      setTrouble(messageOf(error));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <form class="card form-card stack" onSubmit={(event) => void submit(event)}>
      <Title text="Log in" />
      <Trouble text={trouble()} />
      <Field label="Name">
        {({ id }) => (
          <input
            id={id}
            required
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            maxlength={64}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label="Password">
        {({ id }) => (
          <input
            id={id}
            type="password"
            required
            autocomplete="current-password"
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        )}
      </Field>
      <button class="main" disabled={isBusy()}>
        {isBusy() ? "Logging in …" : "Log in"}
      </button>
      <small>No account? A maintainer of this server makes them. Downloads need none.</small>
    </form>
  );
}
