/**
 * A question before something is done: a form over the page. Escape and "Cancel" leave everything as
 * it was; the focus goes back to where it came from.
 */
import { createSignal, createUniqueId, type JSX, onCleanup, onMount } from "solid-js";
import { messageOf } from "../api.ts";
import { hasSessionEnded } from "../session/session.ts";
import { Trouble } from "./basics.tsx";

/** The dialog, open as long as it is on the page. What `run` throws is said in it. */
export function ActionDialog(props: {
  readonly title: string;
  /** What the button says that does it. */
  readonly action: string;
  /** Whether something is lost by it. */
  readonly isDanger?: boolean;
  /** Whether it cannot be done yet. */
  readonly isDisabled?: boolean;
  readonly run: () => Promise<unknown>;
  /** It is done, and the page is no longer behind a dialog. */
  readonly onDone?: () => void;
  readonly onClose: () => void;
  readonly children: JSX.Element;
}) {
  const id = createUniqueId();
  const [trouble, setTrouble] = createSignal<string>();
  const [isBusy, setIsBusy] = createSignal(false);
  let dialog: HTMLDialogElement | undefined;
  onMount(() => dialog?.showModal());
  onCleanup(() => dialog?.close());
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy()) return;
    setIsBusy(true);
    setTrouble();
    try {
      await props.run();
      props.onClose();
      props.onDone?.();
    } catch (error) {
      if (!hasSessionEnded(error)) setTrouble(messageOf(error));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <dialog ref={(element) => (dialog = element)} aria-labelledby={id} onClose={props.onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <h2 id={id}>{props.title}</h2>
        {props.children}
        <Trouble text={trouble()} />
        <div class="row end">
          <button type="button" onClick={() => props.onClose()}>
            Cancel
          </button>
          <button
            classList={{ main: true, danger: props.isDanger ?? false }}
            disabled={isBusy() || (props.isDisabled ?? false)}
          >
            {isBusy() ? "One moment …" : props.action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
