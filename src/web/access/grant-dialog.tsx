/** Giving access: who, to what, and until when. */
import { createSignal, createUniqueId, For, onMount, Show } from "solid-js";
import type { ApiGrant, ApiUserPage } from "../../protocol/api/access.ts";
import type { ApiCatalogue, ApiPublications } from "../../protocol/api/values.ts";
import { api, createMaker } from "../api.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { Field } from "../parts/basics.tsx";
import { Choice, type Option } from "../parts/choice.tsx";
import { spans } from "./words.ts";

type Kind = "publication" | "catalogue" | "publish";

const kinds: readonly Option<Kind>[] = [
  { value: "publication", name: "Download one publication", text: "Also when it is private." },
  { value: "catalogue", name: "Download all that is private", text: "What comes later, too." },
  { value: "publish", name: "Publish into a catalogue", text: "For accounts of publishers." },
];

/** The dialog. */
export function GrantDialog(props: {
  /** Whom it is for; undefined: that is asked. */
  readonly user: string | undefined;
  /** What is proposed. */
  readonly publication: string;
  /** Maintainers give whole catalogues, and see the names of all accounts. */
  readonly isMaintainer: boolean;
  readonly onMade: (grant: ApiGrant) => void;
  readonly onClose: () => void;
}) {
  const [user, setUser] = createSignal(props.user ?? "");
  const [kind, setKind] = createSignal<Kind>("publication");
  const [publication, setPublication] = createSignal(props.publication);
  const [catalogue, setCatalogue] = createSignal<ApiCatalogue>("public");
  const [span, setSpan] = createSignal("");
  const make = createMaker<ApiGrant>("/api/v1/grants");
  const target = (): object => {
    if (kind() === "publication") return { right: "download", publication: publication() };
    if (kind() === "catalogue") return { right: "download", catalogue: "private" };
    return { right: "publish", catalogue: catalogue() };
  };
  const run = async (): Promise<void> => {
    const end = span() === "" ? {} : { expiresAt: endOf(Number(span())) };
    props.onMade(await make({ user: user().trim(), ...target(), ...end }));
  };
  return (
    <ActionDialog
      title={props.user === undefined ? "Give access" : `Give access to ${props.user}`}
      action="Give access"
      run={run}
      onClose={props.onClose}
    >
      <Show when={props.user === undefined}>
        <UserField value={user()} hasList={props.isMaintainer} onChange={setUser} />
      </Show>
      <Show when={props.isMaintainer}>
        <Choice legend="To" name="grant" options={kinds} value={kind()} onChange={setKind} />
      </Show>
      <Show when={kind() === "publication"}>
        <PublicationField value={publication()} onChange={setPublication} />
      </Show>
      <Show when={kind() === "publish"}>
        <Field label="Catalogue">
          {({ id }) => (
            <select
              id={id}
              value={catalogue()}
              onChange={(event) => setCatalogue(event.currentTarget.value as ApiCatalogue)}
            >
              <option value="public">Public: everybody may download it</option>
              <option value="members">Members: everybody with an account</option>
              <option value="private">Private: whom it is granted</option>
            </select>
          )}
        </Field>
      </Show>
      <Field label="How long">
        {({ id }) => (
          <select id={id} value={span()} onChange={(event) => setSpan(event.currentTarget.value)}>
            <option value="">Until it is taken back</option>
            <For each={spans}>{({ seconds, name }) => <option value={seconds}>{name}</option>}</For>
          </select>
        )}
      </Field>
    </ActionDialog>
  );
}

/** To the minute: sent again within it, it is the same request. */
function endOf(seconds: number): string {
  const MINUTE_MS = 60_000;
  const at = Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS + seconds * 1000;
  return new Date(at).toISOString();
}

/** The first names are proposed; any may be typed. */
function UserField(props: {
  readonly value: string;
  readonly hasList: boolean;
  readonly onChange: (name: string) => void;
}) {
  const names = async () =>
    (await api.call<ApiUserPage>("GET", "/api/v1/users")).users.map(({ name }) => name);
  return (
    <ProposedField
      label="Account"
      value={props.value}
      proposals={props.hasList ? names : async () => []}
      onChange={props.onChange}
    />
  );
}

function PublicationField(props: {
  readonly value: string;
  readonly onChange: (name: string) => void;
}) {
  const names = async () => {
    const page = await api.call<ApiPublications>("GET", "/api/v1/publications?limit=100");
    return page.publications.filter(({ state }) => state === "published").map(({ name }) => name);
  };
  return (
    <ProposedField
      label="Publication"
      hint="Its name in links."
      value={props.value}
      proposals={names}
      onChange={props.onChange}
    />
  );
}

function ProposedField(props: {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly proposals: () => Promise<readonly string[]>;
  readonly onChange: (value: string) => void;
}) {
  const listId = createUniqueId();
  const [names, setNames] = createSignal<readonly string[]>([]);
  // Without proposals it is a field like any other.
  onMount(() => void props.proposals().then(setNames, () => undefined));
  return (
    <Field label={props.label} hint={props.hint}>
      {({ id, hintId }) => (
        <>
          <input
            id={id}
            aria-describedby={props.hint === undefined ? undefined : hintId}
            list={listId}
            required
            value={props.value}
            maxlength={200}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            onInput={(event) => props.onChange(event.currentTarget.value)}
          />
          <datalist id={listId}>
            <For each={names()}>{(name) => <option value={name} />}</For>
          </datalist>
        </>
      )}
    </Field>
  );
}
