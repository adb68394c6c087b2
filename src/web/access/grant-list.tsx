/** Who may get or publish what: of one account, or of everybody. */
import { createSignal, For, onMount, Show } from "solid-js";
import type { ApiGrant, ApiGrantPage } from "../../protocol/api/access.ts";
import { api, hasStatus } from "../api.ts";
import { dayText } from "../format.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { createPagedList, PagedView } from "../parts/paged-list.tsx";
import { navigate } from "../router.ts";
import { GrantDialog } from "./grant-dialog.tsx";
import { accountPage, ofUser } from "./paths.ts";
import { catalogueNames } from "./words.ts";

/** The list; `of` undefined: everybody's. */
export function GrantList(props: {
  readonly of: string | undefined;
  readonly isMaintainer: boolean;
  /** Undefined, or a publication to which somebody shall get access: the dialog opens at once. */
  readonly publication?: string | undefined;
}) {
  const list = createPagedList<ApiGrantPage, ApiGrant>(
    () => ofUser("/api/v1/grants", props.of),
    ({ grants }) => grants,
  );
  const [isMaking, setIsMaking] = createSignal(false);
  const [ending, setEnding] = createSignal<ApiGrant>();
  let heading: HTMLElement | undefined;
  onMount(() => setIsMaking(props.publication !== undefined));
  return (
    <section class="card stack" data-list="grants">
      <div class="row spread">
        <h2 tabindex="-1" ref={(element) => (heading = element)}>
          Grants
        </h2>
        <button type="button" onClick={() => setIsMaking(true)}>
          Give access
        </button>
      </div>
      <PagedView
        list={list}
        empty={
          <p class="quiet">
            {props.of === undefined
              ? "Nothing was granted. What is public is for everybody, what is for members for every account."
              : "Nothing beyond what its role may."}
          </p>
        }
      >
        {(grants) => (
          <GrantTable
            grants={grants()}
            hasOwners={props.of === undefined}
            hasPages={props.isMaintainer}
            onEnd={setEnding}
          />
        )}
      </PagedView>
      <Show when={isMaking()}>
        <GrantDialog
          user={props.of}
          publication={props.publication ?? ""}
          isMaintainer={props.isMaintainer}
          onMade={() => void list.reload()}
          onClose={() => {
            setIsMaking(false);
            // Coming back to this page does not ask again.
            if (props.publication !== undefined) navigate("/admin/access/grants", "replace");
          }}
        />
      </Show>
      <Show when={ending()} keyed>
        {(grant) => (
          <EndDialog
            grant={grant}
            onEnded={() => {
              list.change((grants) => grants.filter(({ id }) => id !== grant.id));
              heading?.focus();
            }}
            onClose={() => setEnding()}
          />
        )}
      </Show>
    </section>
  );
}

function GrantTable(props: {
  readonly grants: readonly ApiGrant[];
  readonly hasOwners: boolean;
  readonly hasPages: boolean;
  readonly onEnd: (grant: ApiGrant) => void;
}) {
  return (
    <table class="cards">
      <thead>
        <tr>
          <Show when={props.hasOwners}>
            <th scope="col">Account</th>
          </Show>
          <th scope="col">May</th>
          <th scope="col">Since</th>
          <th scope="col">Ends</th>
          <th scope="col">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        <For each={props.grants}>
          {(grant) => (
            <tr data-grant={grant.id} classList={{ over: isOver(grant) }}>
              <Show when={props.hasOwners}>
                <th scope="row">
                  <Show when={props.hasPages} fallback={<bdi>{grant.user ?? "–"}</bdi>}>
                    <a href={accountPage(grant.user ?? "")}>
                      <bdi>{grant.user}</bdi>
                    </a>
                  </Show>
                </th>
              </Show>
              <td data-label="May">
                <What grant={grant} />
              </td>
              <td data-label="Since">{dayText(Date.parse(grant.createdAt))}</td>
              <td data-label="Ends">{endText(grant)}</td>
              <td class="actions">
                <button
                  type="button"
                  class="small danger"
                  aria-label={`Take back: ${whatText(grant)}`}
                  onClick={() => props.onEnd(grant)}
                >
                  Take back
                </button>
              </td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
}

function What(props: { readonly grant: ApiGrant }) {
  return (
    <Show when={props.grant.publication} fallback={whatText(props.grant)}>
      {(publication) => (
        <>
          Download{" "}
          <a href={`/admin/p/${encodeURIComponent(publication())}`}>
            <bdi>{publication()}</bdi>
          </a>
        </>
      )}
    </Show>
  );
}

function whatText({ right, publication, catalogue }: ApiGrant): string {
  const what = publication ?? (catalogue === undefined ? "" : catalogueNames[catalogue]);
  if (right === "download") return `Download ${what}`;
  return `Publish into ${what}`;
}

function isOver({ expiresAt }: ApiGrant): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= Date.now();
}

function endText(grant: ApiGrant): string {
  if (grant.expiresAt === undefined) return "When taken back";
  const day = dayText(Date.parse(grant.expiresAt));
  return isOver(grant) ? `Ended ${day}` : day;
}

function EndDialog(props: {
  readonly grant: ApiGrant;
  readonly onEnded: () => void;
  readonly onClose: () => void;
}) {
  const run = async (): Promise<void> => {
    try {
      await api.call("DELETE", `/api/v1/grants/${props.grant.id}`);
    } catch (error) {
      // What is gone already is what was wanted.
      if (!hasStatus(error, 404)) throw error;
    }
  };
  return (
    <ActionDialog
      title="Take this access back?"
      action="Take back"
      isDanger
      run={run}
      onDone={props.onEnded}
      onClose={props.onClose}
    >
      <p>
        <strong>
          <bdi>{props.grant.user}</bdi>: {whatText(props.grant)}.
        </strong>{" "}
        It ends at once; downloads under way from this server are cut.
      </p>
    </ActionDialog>
  );
}
