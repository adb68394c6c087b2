/** Ending a publication; its name must be typed, since links to it break. */
import { createSignal } from "solid-js";
import { api, messageOf } from "../api.ts";
import { Field, Trouble } from "../parts/basics.tsx";
import { navigate } from "../router.ts";
import { hasSessionEnded } from "../session/session.ts";

/** The section. */
export function EndSection(props: { readonly name: string }) {
  const [typed, setTyped] = createSignal("");
  const [trouble, setTrouble] = createSignal<string>();
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setTrouble();
    try {
      await api.unpublish(props.name);
      navigate("/admin");
    } catch (error) {
      if (!hasSessionEnded(error)) setTrouble(messageOf(error));
    }
  };
  return (
    <form class="card stack" onSubmit={(event) => void submit(event)}>
      <h2>Unpublish</h2>
      <p class="quiet">
        The page, the torrent and the files here end at once. What was uploaded is deleted; files
        that were published by their path stay.
      </p>
      <div class="toolbar">
        <Field label={`Type “${props.name}” to confirm`}>
          {({ id }) => (
            <input
              id={id}
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          )}
        </Field>
        <button class="danger" disabled={typed() !== props.name}>
          Unpublish
        </button>
      </div>
      <Trouble text={trouble()} />
    </form>
  );
}
