/** One of a few, each with a sentence about it. */
import { For } from "solid-js";

/** What can be chosen. */
export interface Option<Value extends string> {
  readonly value: Value;
  readonly name: string;
  readonly text: string;
}

/** The options, all in sight; `name` is that of the fields, one on a page. */
export function Choice<Value extends string>(props: {
  readonly legend: string;
  readonly name: string;
  readonly options: readonly Option<Value>[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}) {
  return (
    <fieldset class="stack tight">
      <legend class="label">{props.legend}</legend>
      <For each={props.options}>
        {(option) => (
          <label class="choice">
            <input
              type="radio"
              name={props.name}
              value={option.value}
              checked={props.value === option.value}
              onChange={() => props.onChange(option.value)}
            />
            <span>{option.name}</span>
            <small>{option.text}</small>
          </label>
        )}
      </For>
    </fieldset>
  );
}
