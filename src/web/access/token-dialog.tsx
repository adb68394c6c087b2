/** Making a token: for what, and for how long. */
import { createSignal, For } from "solid-js";
import type { ApiMadeToken, ApiRole, ApiScope } from "../../protocol/api/access.ts";
import { createMaker } from "../api.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { Field } from "../parts/basics.tsx";
import { scopes, scopesOfRole, spans } from "./words.ts";

const DEFAULT_SPAN = "7776000";

/** The dialog; the token is for `owner`. */
export function TokenDialog(props: {
  readonly owner: { readonly name: string; readonly role: ApiRole };
  readonly onMade: (token: ApiMadeToken) => void;
  readonly onClose: () => void;
}) {
  const possible = () => scopesOfRole[props.owner.role];
  const [chosen, setChosen] = createSignal<readonly ApiScope[]>(
    possible().filter((scope) => scope !== "admin"),
  );
  const [span, setSpan] = createSignal(DEFAULT_SPAN);
  const make = createMaker<ApiMadeToken>("/api/v1/tokens");
  const run = async (): Promise<void> => {
    const wanted = possible().filter((scope) => chosen().includes(scope));
    const body = { user: props.owner.name, scopes: wanted, lifeSeconds: Number(span()) };
    props.onMade(await make(body));
  };
  const toggle = (scope: ApiScope, isOn: boolean): void => {
    setChosen((before) => (isOn ? [...before, scope] : before.filter((each) => each !== scope)));
  };
  return (
    <ActionDialog
      title={`A token for ${props.owner.name}`}
      action="Make the token"
      isDisabled={chosen().length === 0}
      run={run}
      onClose={props.onClose}
    >
      <fieldset class="stack tight">
        <legend class="label">What it may be used for</legend>
        <For each={possible()}>
          {(scope) => (
            <label class="choice">
              <input
                type="checkbox"
                checked={chosen().includes(scope)}
                onChange={(event) => toggle(scope, event.currentTarget.checked)}
              />
              <span>{scopes[scope].name}</span>
              <small>{scopes[scope].text}</small>
            </label>
          )}
        </For>
      </fieldset>
      <Field label="How long">
        {({ id }) => (
          <select id={id} value={span()} onChange={(event) => setSpan(event.currentTarget.value)}>
            <For each={spans}>{({ seconds, name }) => <option value={seconds}>{name}</option>}</For>
          </select>
        )}
      </Field>
    </ActionDialog>
  );
}
