/** API tokens: of one account, or of everybody. A token's text is shown once, when it is made. */
import { createSignal, For, Show } from "solid-js";
import type { ApiMadeToken, ApiRole, ApiToken, ApiTokenPage } from "../../protocol/api/access.ts";
import { api, hasStatus } from "../api.ts";
import { dayText, momentText } from "../format.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { CopyLine } from "../parts/basics.tsx";
import { createPagedList, PagedView } from "../parts/paged-list.tsx";
import { TokenDialog } from "./token-dialog.tsx";
import { accountPage, ofUser } from "./paths.ts";
import { scopes } from "./words.ts";

/** What is asked about which token. */
type Question =
  | { readonly type: "make" }
  | { readonly type: "revoke"; readonly token: ApiToken }
  | { readonly type: "replace"; readonly token: ApiToken };

/** The list; `of` undefined: everybody's. `maker`: for whom new ones are. */
export function TokenList(props: {
  readonly of: string | undefined;
  readonly maker: { readonly name: string; readonly role: ApiRole };
}) {
  const list = createPagedList<ApiTokenPage, ApiToken>(
    () => ofUser("/api/v1/tokens", props.of),
    ({ tokens }) => tokens,
  );
  const [question, setQuestion] = createSignal<Question>();
  const [made, setMade] = createSignal<ApiMadeToken>();
  let heading: HTMLElement | undefined;
  const ended = (id: string): void => {
    const revokedAt = new Date().toISOString();
    list.change((tokens) => tokens.map((each) => (each.id === id ? { ...each, revokedAt } : each)));
    // The button that was pressed is gone with the token.
    heading?.focus();
  };
  const about = <Type extends Question["type"]>(type: Type) =>
    question()?.type === type
      ? (question() as Extract<Question, { readonly type: Type }>)
      : undefined;
  const take = (token: ApiMadeToken): void => {
    setMade(token);
    void list.reload();
  };
  return (
    <section class="card stack" data-list="tokens">
      <div class="row spread">
        <h2 tabindex="-1" ref={(element) => (heading = element)}>
          Tokens
        </h2>
        <button type="button" onClick={() => setQuestion({ type: "make" })}>
          Make a token
        </button>
      </div>
      <Show when={made()} keyed>
        {(token) => <Secret token={token} onDone={() => setMade()} />}
      </Show>
      <PagedView list={list} empty={<p class="quiet">No token was made yet.</p>}>
        {(tokens) => (
          <TokenTable
            tokens={tokens()}
            hasOwners={props.of === undefined}
            onAsk={(type, token) => setQuestion({ type, token })}
          />
        )}
      </PagedView>
      <Show when={about("make")}>
        <TokenDialog owner={props.maker} onMade={take} onClose={() => setQuestion()} />
      </Show>
      <Show when={about("revoke")} keyed>
        {({ token }) => (
          <RevokeDialog
            token={token}
            onRevoked={() => ended(token.id)}
            onClose={() => setQuestion()}
          />
        )}
      </Show>
      <Show when={about("replace")} keyed>
        {({ token }) => (
          <ReplaceDialog
            token={token}
            onReplaced={(next) => {
              ended(token.id);
              take(next);
            }}
            onClose={() => setQuestion()}
          />
        )}
      </Show>
    </section>
  );
}

/** The text of a new token: the only time that it is shown. */
function Secret(props: { readonly token: ApiMadeToken; readonly onDone: () => void }) {
  return (
    <div class="notice stack tight" role="status" data-secret>
      <p>
        <strong>Copy the token now.</strong> It is shown this once; the server keeps a digest of it
        only.
      </p>
      <CopyLine label="The token" text={props.token.token} />
      <div class="row spread">
        <small>
          For <code>--token</code> or <code>BTPUBLISHER_TOKEN</code>, until{" "}
          {dayText(Date.parse(props.token.expiresAt))}.
        </small>
        <button type="button" onClick={() => props.onDone()}>
          I have it
        </button>
      </div>
    </div>
  );
}

function TokenTable(props: {
  readonly tokens: readonly ApiToken[];
  readonly hasOwners: boolean;
  readonly onAsk: (type: "revoke" | "replace", token: ApiToken) => void;
}) {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Token</th>
          <Show when={props.hasOwners}>
            <th scope="col">Account</th>
          </Show>
          <th scope="col">For</th>
          <th scope="col">Last used</th>
          <th scope="col">Ends</th>
          <th scope="col">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        <For each={props.tokens}>
          {(token) => (
            <tr data-token={token.id} classList={{ over: isOver(token) }}>
              <th scope="row">
                <code>{token.id}</code>
              </th>
              <Show when={props.hasOwners}>
                <td data-label="Account">
                  <Show when={token.user} fallback="–">
                    {(user) => (
                      <a href={accountPage(user())}>
                        <bdi>{user()}</bdi>
                      </a>
                    )}
                  </Show>
                </td>
              </Show>
              <td data-label="For">{token.scopes.map((scope) => scopes[scope].name).join(", ")}</td>
              <td data-label="Last used">{whenText(token.lastUsedAt) ?? "Never"}</td>
              <td data-label="Ends">{endText(token)}</td>
              <td class="actions">
                <Show when={!isOver(token)}>
                  <button
                    type="button"
                    class="small"
                    aria-label={`Replace the token ${token.id}`}
                    onClick={() => props.onAsk("replace", token)}
                  >
                    Replace
                  </button>
                  <button
                    type="button"
                    class="small danger"
                    aria-label={`Revoke the token ${token.id}`}
                    onClick={() => props.onAsk("revoke", token)}
                  >
                    Revoke
                  </button>
                </Show>
              </td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
}

function isOver({ revokedAt, expiresAt }: ApiToken): boolean {
  return revokedAt !== undefined || Date.parse(expiresAt) <= Date.now();
}

function endText(token: ApiToken): string {
  if (token.revokedAt !== undefined) return `Revoked ${dayText(Date.parse(token.revokedAt))}`;
  const day = dayText(Date.parse(token.expiresAt));
  return isOver(token) ? `Ended ${day}` : day;
}

function whenText(at: string | undefined): string | undefined {
  return at === undefined ? undefined : momentText(Date.parse(at));
}

function RevokeDialog(props: {
  readonly token: ApiToken;
  readonly onRevoked: () => void;
  readonly onClose: () => void;
}) {
  return (
    <ActionDialog
      title="Revoke this token?"
      action="Revoke"
      isDanger
      run={() => revoke(props.token.id)}
      onDone={props.onRevoked}
      onClose={props.onClose}
    >
      <p>
        <code>{props.token.id}</code> <Owner token={props.token} /> ends at once: whatever uses it
        is refused from then on. This cannot be undone.
      </p>
    </ActionDialog>
  );
}

function ReplaceDialog(props: {
  readonly token: ApiToken;
  readonly onReplaced: (next: ApiMadeToken) => void;
  readonly onClose: () => void;
}) {
  let next: ApiMadeToken | undefined;
  const run = async (): Promise<void> => {
    const { id, user, scopes, createdAt, expiresAt } = props.token;
    const lifeSeconds = Math.round((Date.parse(expiresAt) - Date.parse(createdAt)) / 1000);
    // Pressed again after the second half failed, the first is not done again.
    next ??= await api.call<ApiMadeToken>("POST", "/api/v1/tokens", { user, scopes, lifeSeconds });
    await revoke(id);
  };
  const done = (): void => {
    if (next !== undefined) props.onReplaced(next);
  };
  return (
    <ActionDialog
      title="Replace this token?"
      action="Replace"
      run={run}
      onDone={done}
      onClose={props.onClose}
    >
      <p>
        A new token for the same purposes and as long a time is made and shown.{" "}
        <code>{props.token.id}</code> <Owner token={props.token} /> ends at once.
      </p>
    </ActionDialog>
  );
}

function Owner(props: { readonly token: ApiToken }) {
  return (
    <Show when={props.token.user}>
      {(user) => (
        <>
          of <bdi>{user()}</bdi>
        </>
      )}
    </Show>
  );
}

/** What is gone already is what was wanted. */
async function revoke(id: string): Promise<void> {
  try {
    await api.call("DELETE", `/api/v1/tokens/${id}`);
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
}
