/** Small parts that many pages use. */
import {
  createEffect,
  createSignal,
  createUniqueId,
  type JSX,
  onCleanup,
  onMount,
  Show,
} from "solid-js";
import type { LiveState } from "../../protocol/api/live.ts";
import { takesFocus } from "../router.ts";

/** The heading of a page: gets the focus after a change of page, and names the tab. */
export function Title(props: { readonly text: string }) {
  let heading: HTMLHeadingElement | undefined;
  createEffect(() => (document.title = `${props.text} · BTPublisher`));
  onMount(() => {
    if (takesFocus()) heading?.focus({ preventScroll: true });
  });
  return (
    <h1 tabindex="-1" ref={(element) => (heading = element)}>
      <bdi>{props.text}</bdi>
    </h1>
  );
}

/** What went wrong; read out at once. Nothing while `text` is undefined. */
export function Trouble(props: { readonly text: string | undefined }) {
  return (
    <div role="alert">
      <Show when={props.text}>
        <p class="notice bad">{props.text}</p>
      </Show>
    </div>
  );
}

/** What the states are called where people read. */
export const stateNames: Readonly<Record<LiveState, string>> = {
  S0: "Server alone",
  S1: "Server and peers",
  S2: "Peers alone",
};

/** The state of a swarm: never by colour alone. */
export function StateLabel(props: { readonly state: LiveState }) {
  return (
    <span class={`state ${props.state}`} data-state={props.state}>
      <span class={`dot ${props.state}`} aria-hidden="true" />
      {stateNames[props.state]}
    </span>
  );
}

/** A field with its label and a hint. */
export function Field(props: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly children: (ids: { readonly id: string; readonly hintId: string }) => JSX.Element;
}) {
  const id = createUniqueId();
  const hintId = `${id}-hint`;
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.children({ id, hintId })}
      <Show when={props.hint}>
        <small id={hintId}>{props.hint}</small>
      </Show>
    </div>
  );
}

const COPIED_MS = 2000;

/** A line of text that can be taken along. `label` says what it is, to those who do not see it. */
export function CopyLine(props: { readonly label: string; readonly text: string }) {
  const [isCopied, setIsCopied] = createSignal(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let line: HTMLPreElement | undefined;
  onCleanup(() => clearTimeout(timer));
  const copy = async (): Promise<void> => {
    // Without HTTPS browsers offer no clipboard: then the text is selected, ready for Ctrl-C.
    const hasCopied = await Promise.resolve(navigator.clipboard?.writeText(props.text)).then(
      () => navigator.clipboard !== undefined,
      () => false,
    );
    if (!hasCopied) {
      getSelection()?.selectAllChildren(line as HTMLPreElement);
      return;
    }
    setIsCopied(true);
    clearTimeout(timer);
    timer = setTimeout(() => setIsCopied(false), COPIED_MS);
  };
  return (
    <div class="copy">
      <pre ref={(element) => (line = element)} tabindex="0" role="region" aria-label={props.label}>
        {props.text}
      </pre>
      <button type="button" aria-label={`Copy: ${props.label}`} onClick={() => void copy()}>
        <span aria-live="polite">{isCopied() ? "Copied" : "Copy"}</span>
      </button>
    </div>
  );
}

/** A figure with its name and what it means. */
export function Figure(props: {
  readonly name: string;
  readonly value: JSX.Element;
  readonly note?: JSX.Element | undefined;
}) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.value}</dd>
      <Show when={props.note !== undefined}>
        <dd>{props.note}</dd>
      </Show>
    </div>
  );
}
