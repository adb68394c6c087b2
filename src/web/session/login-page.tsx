/** `/login` */
import { createSignal } from "solid-js";
import { messageOf } from "../api.ts";
import { NameField, PasswordField } from "../parts/account-fields.tsx";
import { Title, Trouble } from "../parts/basics.tsx";
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
      <NameField onInput={setName} />
      <PasswordField label="Password" autocomplete="current-password" onInput={setPassword} />
      <button class="main" disabled={isBusy()}>
        {isBusy() ? "Logging in …" : "Log in"}
      </button>
      <small>No account? A maintainer of this server makes them. Downloads need none.</small>
    </form>
  );
}
