/** One account: its role and password, its tokens, what was granted, its passkeys, its end. */
import { createResource, createSignal, For, Match, Show, Switch } from "solid-js";
import type { ApiRole, ApiUser, ApiUserPage } from "../../protocol/api/access.ts";
import { api, messageOf } from "../api.ts";
import { dayText, pluralText } from "../format.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { PasswordField } from "../parts/account-fields.tsx";
import { Field, Trouble } from "../parts/basics.tsx";
import { Choice } from "../parts/choice.tsx";
import { navigate } from "../router.ts";
import { account, hasSessionEnded, loadSession } from "../session/session.ts";
import { GrantList } from "./grant-list.tsx";
import { TokenList } from "./token-list.tsx";
import { userPath } from "./paths.ts";
import { roleName, roles } from "./words.ts";

/** The page of the account `name`, for maintainers. */
export function AccountPage(props: { readonly name: string }) {
  const [user, { mutate }] = createResource(() => props.name, findUser);
  return (
    <Switch fallback={<p class="quiet">Loading …</p>}>
      <Match when={user.error !== undefined}>
        <Trouble text={messageOf(user.error)} />
      </Match>
      <Match when={user()}>
        {(known) => (
          <>
            <AccountCard user={known()} onChanged={mutate} />
            <TokenList of={known().name} maker={known()} />
            <GrantList of={known().name} isMaintainer />
            <EndCard user={known()} onChanged={mutate} />
          </>
        )}
      </Match>
    </Switch>
  );
}

/** The list is all that the API has: its pages are looked through. */
async function findUser(name: string): Promise<ApiUser> {
  let path: string | undefined = "/api/v1/users";
  try {
    while (path !== undefined) {
      const page: ApiUserPage = await api.call<ApiUserPage>("GET", path);
      const user = page.users.find((each) => each.name === name);
      if (user !== undefined) return user;
      path = page.next;
    }
  } catch (error) {
    hasSessionEnded(error);
    throw error;
  }
  throw new Error(`There is no account named ${name} (any more).`);
}

interface AccountProps {
  readonly user: ApiUser;
  readonly onChanged: (user: ApiUser) => void;
}

function isMe({ name }: ApiUser): boolean {
  return account()?.name === name;
}

/** What is asked about an account. */
type Question = "role" | "password" | "keys" | "disable" | "remove";

function AccountCard(props: AccountProps) {
  const [question, setQuestion] = createSignal<Question>();
  const [said, setSaid] = createSignal("");
  const changed = (user: ApiUser, text: string): void => {
    props.onChanged(user);
    setSaid(text);
  };
  const close = (): void => {
    setQuestion();
  };
  return (
    <section class="card stack" data-account-card>
      <dl class="facts">
        <dt>Role</dt>
        <dd>{roleName(props.user.role)}</dd>
        <dt>Logs in</dt>
        <dd>{props.user.hasPassword ? "With a password" : "With tokens only"}</dd>
        <dt>Since</dt>
        <dd>{dayText(Date.parse(props.user.createdAt))}</dd>
      </dl>
      <div class="row">
        <button type="button" onClick={() => setQuestion("role")}>
          Change the role
        </button>
        <button type="button" onClick={() => setQuestion("password")}>
          Set a password
        </button>
        <button type="button" onClick={() => setQuestion("keys")}>
          Replace passkeys
        </button>
        <span class="quiet" role="status">
          {said()}
        </span>
      </div>
      <Show when={question() === "role"}>
        <RoleDialog
          user={props.user}
          onChanged={(user) => changed(user, "The role is changed.")}
          onClose={close}
        />
      </Show>
      <Show when={question() === "password"}>
        <PasswordDialog
          user={props.user}
          onChanged={(user) => changed(user, "The password is set.")}
          onClose={close}
        />
      </Show>
      <Show when={question() === "keys"}>
        <KeysDialog
          user={props.user}
          onReplaced={(count) => setSaid(`${pluralText(count, "passkey")} replaced.`)}
          onClose={close}
        />
      </Show>
    </section>
  );
}

function RoleDialog(props: AccountProps & { readonly onClose: () => void }) {
  const [role, setRole] = createSignal<ApiRole>(props.user.role);
  const run = async (): Promise<void> => {
    props.onChanged(await change(props.user, { role: role() }));
  };
  return (
    <ActionDialog
      title={`The role of ${props.user.name}`}
      action="Change the role"
      isDisabled={role() === props.user.role}
      run={run}
      onClose={props.onClose}
    >
      <Choice legend="Role" name="role" options={roles} value={role()} onChange={setRole} />
      <LoggedOutNote user={props.user} />
    </ActionDialog>
  );
}

function PasswordDialog(props: AccountProps & { readonly onClose: () => void }) {
  const [password, setPassword] = createSignal("");
  const run = async (): Promise<void> => {
    props.onChanged(await change(props.user, { password: password() }));
  };
  return (
    <ActionDialog
      title={`A password for ${props.user.name}`}
      action="Set the password"
      run={run}
      onClose={props.onClose}
    >
      <PasswordField
        label="New password"
        hint="At least 12 characters. A few words are fine."
        autocomplete="new-password"
        minLength={12}
        onInput={setPassword}
      />
      <p>Its tokens end with the old one: make new ones afterwards.</p>
      <LoggedOutNote user={props.user} />
    </ActionDialog>
  );
}

const graces = [
  { seconds: "86400", name: "For a day: who began a download can finish it" },
  { seconds: "0", name: "No longer: they leaked" },
] as const;

function KeysDialog(props: {
  readonly user: ApiUser;
  readonly onReplaced: (count: number) => void;
  readonly onClose: () => void;
}) {
  const [grace, setGrace] = createSignal<string>(graces[0].seconds);
  const run = async (): Promise<void> => {
    const body = { graceSeconds: Number(grace()) };
    const path = userPath(props.user.name, "/rotate-keys");
    const { count } = await api.call<{ readonly count: number }>("POST", path, body);
    props.onReplaced(count);
  };
  return (
    <ActionDialog
      title={`Replace the passkeys of ${props.user.name}?`}
      action="Replace"
      isDanger={grace() === "0"}
      run={run}
      onClose={props.onClose}
    >
      <p>
        Each .torrent of what is not public has a key of this account in it. The next one that it
        fetches has a new key.
      </p>
      <Field label="The old keys stay good">
        {({ id }) => (
          <select id={id} value={grace()} onChange={(event) => setGrace(event.currentTarget.value)}>
            <For each={graces}>
              {({ seconds, name }) => <option value={seconds}>{name}</option>}
            </For>
          </select>
        )}
      </Field>
    </ActionDialog>
  );
}

function EndCard(props: AccountProps) {
  const [question, setQuestion] = createSignal<Question>();
  return (
    <section class="card stack" data-account-end>
      <h2>{props.user.isDisabled ? "Disabled" : "Disable or remove"}</h2>
      <p class="quiet">
        {props.user.isDisabled
          ? "It can neither log in nor use its tokens and keys until it is enabled again."
          : "A disabled account keeps its tokens, keys and grants, and can use none of them. A removed one loses them."}
      </p>
      <div class="row">
        <button type="button" onClick={() => setQuestion("disable")}>
          {props.user.isDisabled ? "Enable" : "Disable"}
        </button>
        <button type="button" class="danger" onClick={() => setQuestion("remove")}>
          Remove
        </button>
      </div>
      <Show when={question() === "disable"}>
        <DisableDialog {...props} onClose={() => setQuestion()} />
      </Show>
      <Show when={question() === "remove"}>
        <RemoveDialog user={props.user} onClose={() => setQuestion()} />
      </Show>
    </section>
  );
}

function DisableDialog(props: AccountProps & { readonly onClose: () => void }) {
  const { isDisabled, name } = props.user;
  const run = async (): Promise<void> => {
    props.onChanged(await change(props.user, { isDisabled: !isDisabled }));
  };
  return (
    <ActionDialog
      title={isDisabled ? `Enable ${name} again?` : `Disable ${name}?`}
      action={isDisabled ? "Enable" : "Disable"}
      isDanger={!isDisabled}
      run={run}
      onClose={props.onClose}
    >
      <p>
        {isDisabled
          ? "Its password, tokens, keys and grants are good again."
          : "It is logged out, and its downloads under way of what is not public are cut."}
      </p>
      <LoggedOutNote user={props.user} />
    </ActionDialog>
  );
}

function RemoveDialog(props: { readonly user: ApiUser; readonly onClose: () => void }) {
  const run = async (): Promise<void> => {
    await api.call("DELETE", userPath(props.user.name));
    await lookAfterOneself(props.user);
    navigate("/admin/access");
  };
  return (
    <ActionDialog
      title={`Remove ${props.user.name}?`}
      action="Remove"
      isDanger
      run={run}
      onClose={props.onClose}
    >
      <p>
        Its tokens, grants and passkeys end at once and for good. What it published stays, and is
        the maintainers' to manage.
      </p>
      <LoggedOutNote user={props.user} />
    </ActionDialog>
  );
}

/** Whoever changes the own account should know what comes. */
function LoggedOutNote(props: { readonly user: ApiUser }) {
  return (
    <p class="quiet">
      {isMe(props.user)
        ? "This is your own account: you will have to log in again, if you still can."
        : "It is logged out wherever it is logged in."}
    </p>
  );
}

/** @throws ApiError */
async function change(user: ApiUser, body: object): Promise<ApiUser> {
  const changed = await api.call<ApiUser>("PATCH", userPath(user.name), body);
  await lookAfterOneself(user);
  return changed;
}

/** A change of one's own account ends one's session: then the log-in comes at once. */
async function lookAfterOneself(user: ApiUser): Promise<void> {
  if (isMe(user)) await loadSession();
}
