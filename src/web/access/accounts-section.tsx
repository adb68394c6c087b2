/** All accounts; each has a page of its own. */
import { createSignal, For, Show } from "solid-js";
import type { ApiRole, ApiUser, ApiUserPage } from "../../protocol/api/access.ts";
import { createMaker } from "../api.ts";
import { dayText } from "../format.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { NameField, PasswordField } from "../parts/account-fields.tsx";
import { Choice } from "../parts/choice.tsx";
import { createPagedList, PagedView } from "../parts/paged-list.tsx";
import { navigate } from "../router.ts";
import { accountPage } from "./paths.ts";
import { roleName, roles } from "./words.ts";

/** The section. */
export function AccountsSection() {
  const list = createPagedList<ApiUserPage, ApiUser>(
    () => "/api/v1/users",
    ({ users }) => users,
  );
  const [isAdding, setIsAdding] = createSignal(false);
  return (
    <section class="card stack" data-list="accounts">
      <div class="row spread">
        <h2>Accounts</h2>
        <button type="button" class="main" onClick={() => setIsAdding(true)}>
          Add an account
        </button>
      </div>
      <PagedView
        list={list}
        empty={<p class="quiet">There is no account yet. Downloading what is public needs none.</p>}
      >
        {(users) => <AccountTable users={users()} />}
      </PagedView>
      <Show when={isAdding()}>
        <AccountDialog onClose={() => setIsAdding(false)} />
      </Show>
    </section>
  );
}

function AccountTable(props: { readonly users: readonly ApiUser[] }) {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Role</th>
          <th scope="col">Logs in</th>
          <th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>
        <For each={props.users}>
          {(user) => (
            <tr data-account={user.name}>
              <th scope="row">
                <a href={accountPage(user.name)}>
                  <bdi>{user.name}</bdi>
                </a>
              </th>
              <td data-label="Role">{roleName(user.role)}</td>
              <td data-label="Logs in">{loginText(user)}</td>
              <td data-label="Since">{dayText(Date.parse(user.createdAt))}</td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
}

function loginText({ isDisabled, hasPassword }: ApiUser): string {
  if (isDisabled) return "Disabled";
  return hasPassword ? "With a password" : "With tokens only";
}

/** A new account, and then its page: there are its tokens and grants. */
function AccountDialog(props: { readonly onClose: () => void }) {
  const [name, setName] = createSignal("");
  const [role, setRole] = createSignal<ApiRole>("downloader");
  const [password, setPassword] = createSignal("");
  const make = createMaker<ApiUser>("/api/v1/users");
  const run = async (): Promise<void> => {
    const secret = password() === "" ? {} : { password: password() };
    const user = await make({ name: name().trim(), role: role(), ...secret });
    navigate(accountPage(user.name));
  };
  return (
    <ActionDialog title="Add an account" action="Add the account" run={run} onClose={props.onClose}>
      <NameField
        hint="Lower-case letters, digits, dots and dashes."
        autocomplete="off"
        onInput={setName}
      />
      <Choice legend="Role" name="role" options={roles} value={role()} onChange={setRole} />
      <PasswordField
        label="Password"
        hint="To log in here: at least 12 characters. Empty: it uses tokens only."
        autocomplete="new-password"
        minLength={12}
        isOptional
        onInput={setPassword}
      />
    </ActionDialog>
  );
}
