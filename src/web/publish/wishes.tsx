/** What is asked about every publication: its name, how much the server gives, who may have it. */
import type { ApiPolicy, ApiCatalogue } from "../../protocol/api/values.ts";
import { Field } from "../parts/basics.tsx";
import { Choice, type Option } from "../parts/choice.tsx";

/** Policies, in words. */
export const policies: readonly Option<ApiPolicy["policy"]>[] = [
  {
    value: "balanced",
    name: "Balanced",
    text: "Nobody waits longer than with a plain download; the server sends as little as that takes.",
  },
  { value: "fast", name: "Fast", text: "The server always helps: done soonest, costs most." },
  {
    value: "thrifty",
    name: "Thrifty",
    text: "About one copy, then the downloaders are on their own as long as nothing is missing.",
  },
];

const catalogues: readonly Option<ApiCatalogue>[] = [
  { value: "public", name: "Everybody", text: "Listed on the front page." },
  { value: "members", name: "Members", text: "Everybody with an account here." },
  { value: "private", name: "Those I name", text: "Granted one by one; invisible for others." },
];

/** A slug as the server takes it. */
const SLUG = "[a-z0-9][a-z0-9._\\-]*";

/** The field for the publication's name in links. */
export function NameField(props: {
  readonly value: string;
  readonly onChange: (name: string) => void;
}) {
  return (
    <Field
      label="Name in links"
      hint="Lower-case letters, digits, dots and dashes. Empty: made from the file's name."
    >
      {({ id, hintId }) => (
        <input
          id={id}
          aria-describedby={hintId}
          value={props.value}
          maxlength={100}
          pattern={SLUG}
          autocapitalize="none"
          spellcheck={false}
          onInput={(event) => props.onChange(event.currentTarget.value.trim())}
        />
      )}
    </Field>
  );
}

/** One of the policies. */
export function PolicyChoice(props: {
  readonly value: ApiPolicy["policy"];
  readonly onChange: (policy: ApiPolicy["policy"]) => void;
}) {
  return (
    <Choice
      legend="How much the server gives"
      name="policy"
      options={policies}
      value={props.value}
      onChange={props.onChange}
    />
  );
}

/** Who may download. */
export function CatalogueChoice(props: {
  readonly value: ApiCatalogue;
  readonly onChange: (catalogue: ApiCatalogue) => void;
}) {
  return (
    <Choice
      legend="Who may download"
      name="catalogue"
      options={catalogues}
      value={props.value}
      onChange={props.onChange}
    />
  );
}
