/** Which piece went to which node: filtered, exported, and played back. */
import { createSignal, For } from "solid-js";
import { publicationPath } from "../../client/client.ts";
import type { LedgerDoor, LedgerLine, LedgerPage } from "../../protocol/api/ledger.ts";
import { countText, preciseText, sizeText } from "../format.ts";
import { Field } from "../parts/basics.tsx";
import { createPagedList, PagedView } from "../parts/paged-list.tsx";
import { Replay } from "./replay.tsx";

/** What is asked for; empty: anything. */
interface Filter {
  readonly door: string;
  readonly piece: string;
  readonly address: string;
  readonly peer: string;
}

/** Lines at a time. */
const PAGE_LENGTH = 25;

const everything: Filter = { door: "", piece: "", address: "", peer: "" };

/** The section. */
export function LedgerSection(props: { readonly name: string }) {
  return (
    <div class="stack wide">
      <section class="card">
        <h2>Replay</h2>
        <Replay name={props.name} />
      </section>
      <section class="card stack">
        <LedgerTable name={props.name} />
      </section>
    </div>
  );
}

function LedgerTable(props: { readonly name: string }) {
  const [filter, setFilter] = createSignal(everything);
  const path = publicationPath(props.name, "/ledger");
  const query = (format: string) => {
    const limit = format === "page" ? [["limit", String(PAGE_LENGTH)]] : [];
    const asked = Object.entries(filter()).filter(([, value]) => value !== "");
    return `${path}?${new URLSearchParams([...asked, ["format", format], ...limit]).toString()}`;
  };
  const list = createPagedList<LedgerPage, LedgerLine>(
    () => query("page"),
    ({ entries }) => entries,
  );
  return (
    <>
      <div class="row spread">
        <h2>Ledger</h2>
        <div class="row">
          <a class="button" href={query("csv")} download={`${props.name}-ledger.csv`}>
            CSV
          </a>
          <a class="button" href={query("lines")} download={`${props.name}-ledger.jsonl`}>
            JSON lines
          </a>
        </div>
      </div>
      <FilterForm
        onFilter={(wanted) => {
          setFilter(wanted);
          void list.reload();
        }}
      />
      <PagedView list={list} empty={<p class="quiet">Nothing was sent.</p>}>
        {(entries) => <Entries entries={entries()} />}
      </PagedView>
    </>
  );
}

function FilterForm(props: { readonly onFilter: (filter: Filter) => void }) {
  const submit = (event: SubmitEvent & { readonly currentTarget: HTMLFormElement }): void => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const valueOf = (name: keyof Filter) => textOf(fields.get(name)).trim();
    props.onFilter({
      door: valueOf("door"),
      piece: valueOf("piece"),
      address: valueOf("address"),
      peer: valueOf("peer").toLowerCase(),
    });
  };
  return (
    <form class="toolbar" onSubmit={submit}>
      <Field label="Door">
        {({ id }) => (
          <select id={id} name="door">
            <option value="">All</option>
            <option value="bittorrent">BitTorrent</option>
            <option value="webseed">Web seed</option>
            <option value="http">HTTP</option>
          </select>
        )}
      </Field>
      <Field label="Piece">
        {({ id }) => <input id={id} name="piece" type="number" min="0" />}
      </Field>
      <Field label="Address">
        {({ id }) => <input id={id} name="address" spellcheck={false} />}
      </Field>
      <Field label="Peer id begins with">
        {({ id }) => <input id={id} name="peer" pattern="[0-9a-fA-F]*" spellcheck={false} />}
      </Field>
      <button>Filter</button>
    </form>
  );
}

/** Fields here are never files. */
function textOf(value: FormDataEntryValue | null): string {
  return typeof value === "string" ? value : "";
}

const doors: Readonly<Record<LedgerDoor, string>> = {
  bittorrent: "BitTorrent",
  webseed: "Web seed",
  webrtc: "WebRTC",
  http: "HTTP",
};

function Entries(props: { readonly entries: readonly LedgerLine[] }) {
  return (
    <div class="scroll">
      <table class="cards" data-ledger>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Door</th>
            <th scope="col">To</th>
            <th scope="col" class="number">
              Piece
            </th>
            <th scope="col" class="number">
              Sent
            </th>
          </tr>
        </thead>
        <tbody>
          <For each={props.entries}>
            {(entry) => (
              <tr>
                <th scope="row" class="nowrap">
                  <time datetime={entry.at}>{preciseText(Date.parse(entry.at))}</time>
                </th>
                <td data-label="Door">{doors[entry.door]}</td>
                <td data-label="To">
                  <bdi>{entry.address}</bdi>
                </td>
                <td class="number" data-label="Piece">
                  {countText(entry.pieceIndex)}
                </td>
                <td class="number" data-label="Sent">
                  {sizeText(entry.bytes)}
                </td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}
