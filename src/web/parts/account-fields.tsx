/** The fields by which people name accounts and prove them. */
import { Field } from "./basics.tsx";

/** The name of an account; `autocomplete` "off" where it is somebody else's. */
export function NameField(props: {
  readonly hint?: string;
  readonly autocomplete?: "off";
  readonly onInput: (name: string) => void;
}) {
  return (
    <Field label="Name" hint={props.hint}>
      {({ id, hintId }) => (
        <input
          id={id}
          aria-describedby={props.hint === undefined ? undefined : hintId}
          required
          autocomplete={props.autocomplete ?? "username"}
          autocapitalize="none"
          spellcheck={false}
          maxlength={64}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** A password, one that is there or a new one. */
export function PasswordField(props: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly autocomplete: "current-password" | "new-password";
  readonly minLength?: number;
  readonly isOptional?: boolean;
  readonly isInvalid?: boolean;
  readonly onInput: (password: string) => void;
}) {
  return (
    <Field label={props.label} hint={props.hint}>
      {({ id, hintId }) => (
        <input
          id={id}
          aria-describedby={props.hint === undefined ? undefined : hintId}
          aria-invalid={props.isInvalid}
          type="password"
          required={props.isOptional !== true}
          autocomplete={props.autocomplete}
          minlength={props.minLength}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
