/** `/setup#TOKEN`: the first maintainer, made by whoever can read what the server printed. */
import { createSignal, Show } from "solid-js";
import { messageOf } from "../api.ts";
import { NameField, PasswordField } from "../parts/account-fields.tsx";
import { Title, Trouble } from "../parts/basics.tsx";
import { address, navigate } from "../router.ts";
import { setUp } from "./session.ts";

/** The page that the set-up link leads to. */
export function SetupPage() {
  const token = address().hash.slice(1);
  return (
    <Show when={token} fallback={<NoToken />}>
      <SetupForm token={token} />
    </Show>
  );
}

function NoToken() {
  return (
    <div class="card form-card stack">
      <Title text="Set up" />
      <p>
        The set-up link is not complete: its end, from <code>#</code> on, is missing. Copy all of it
        from where the server was started.
      </p>
      <p class="quiet">
        An account exists already? <a href="/login">Log in</a>
      </p>
    </div>
  );
}

function SetupForm(props: { readonly token: string }) {
  const [name, setName] = createSignal("");
  const [password, setPassword] = createSignal("");
  const [again, setAgain] = createSignal("");
  const [trouble, setTrouble] = createSignal<string>();
  const [isBusy, setIsBusy] = createSignal(false);
  const isOther = () => again() !== "" && again() !== password();
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (again() !== password()) return void setTrouble("The two passwords are not the same.");
    setIsBusy(true);
    setTrouble();
    try {
      await setUp(props.token, name().trim(), password());
      navigate("/admin", "replace");
    } catch (error) {
      setTrouble(messageOf(error));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <form class="card form-card stack" onSubmit={(event) => void submit(event)}>
      <div class="stack tight">
        <Title text="Set up this server" />
        <p class="quiet">Make the first maintainer: who may publish and do everything here.</p>
      </div>
      <Trouble text={trouble()} />
      <NameField hint="Lower-case letters, digits, dots and dashes." onInput={setName} />
      <PasswordField
        label="Password"
        hint="At least 12 characters. A few words are fine."
        autocomplete="new-password"
        onInput={setPassword}
      />
      <PasswordField
        label="Password again"
        hint={isOther() ? "Not the same yet." : undefined}
        autocomplete="new-password"
        isInvalid={isOther()}
        onInput={setAgain}
      />
      <button class="main" disabled={isBusy()}>
        {isBusy() ? "Making it …" : "Make the maintainer"}
      </button>
    </form>
  );
}
