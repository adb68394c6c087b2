/** Who did what, newest first. */
import { For, Show } from "solid-js";
import type { ApiAuditEntry, ApiAuditPage } from "../../protocol/api/access.ts";
import { preciseText } from "../format.ts";
import { createPagedList, PagedView } from "../parts/paged-list.tsx";
import { actionText } from "./words.ts";

/** Lines at a time. */
const PAGE_LENGTH = 50;

const outcomes: Readonly<Record<ApiAuditEntry["outcome"], string>> = {
  done: "Done",
  denied: "Refused",
  failed: "Failed",
};

/** The section. */
export function AuditSection() {
  const list = createPagedList<ApiAuditPage, ApiAuditEntry>(
    () => `/api/v1/audit?limit=${PAGE_LENGTH}`,
    ({ entries }) => entries,
  );
  return (
    <section class="card stack" data-list="audit">
      <div class="row spread">
        <h2>Audit log</h2>
        <button type="button" onClick={() => void list.reload()}>
          Look again
        </button>
      </div>
      <Show when={list.first()?.brokenAt}>
        {(number) => (
          <p class="notice bad" role="alert">
            The log was changed from outside: entry {number()} is not what the server wrote.
          </p>
        )}
      </Show>
      <PagedView list={list} empty={<p class="quiet">Nothing was done yet.</p>}>
        {(entries) => <AuditTable entries={entries()} />}
      </PagedView>
    </section>
  );
}

/** Whoever logs in is nobody yet when the request comes. */
function whoText({ action, outcome, actor, subject }: ApiAuditEntry): string {
  return action === "login" && outcome === "done" ? subject : actor;
}

function aboutText(entry: ApiAuditEntry): string {
  return entry.subject === "" || entry.subject === whoText(entry) ? "–" : entry.subject;
}

function AuditTable(props: { readonly entries: readonly ApiAuditEntry[] }) {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Who</th>
          <th scope="col">What</th>
          <th scope="col">About</th>
          <th scope="col">From</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        <For each={props.entries}>
          {(entry) => (
            <tr data-entry={entry.number}>
              <th scope="row" class="nowrap">
                <time datetime={entry.at}>{preciseText(Date.parse(entry.at))}</time>
              </th>
              <td data-label="Who">
                <bdi>{whoText(entry)}</bdi>
              </td>
              <td data-label="What">{actionText(entry.action)}</td>
              <td data-label="About">
                <bdi>{aboutText(entry)}</bdi>
              </td>
              <td data-label="From">{entry.address || "–"}</td>
              <td data-label="Outcome" classList={{ bad: entry.outcome !== "done" }}>
                {outcomes[entry.outcome]}
              </td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
}
