/** Which piece went to which node: filtered, exported, and played back. */
import { createSignal, For, onMount, Show } from "solid-js";
import { publicationPath } from "../../client/client.ts";
import type { LedgerDoor, LedgerLine, LedgerPage } from "../../protocol/api/ledger.ts";
import { api, messageOf } from "../api.ts";
import { countText, preciseText, sizeText } from "../format.ts";
import { Field, Trouble } from "../parts/basics.tsx";
import { hasSessionEnded } from "../session/session.ts";
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
  const [entries, setEntries] = createSignal<readonly LedgerLine[]>();
  const [next, setNext] = createSignal<string>();
  const [trouble, setTrouble] = createSignal<string>();
  const path = publicationPath(props.name, "/ledger");
  const query = (format: string) => {
    const limit = format === "page" ? [["limit", String(PAGE_LENGTH)]] : [];
    const asked = Object.entries(filter()).filter(([, value]) => value !== "");
    return `${path}?${new URLSearchParams([...asked, ["format", format], ...limit]).toString()}`;
  };
  const load = async (from: string, before: readonly LedgerLine[]): Promise<void> => {
    setTrouble();
    try {
      const page = await api.call<LedgerPage>("GET", from);
      setEntries([...before, ...page.entries]);
      setNext(page.next);
    } catch (error) {
      if (!hasSessionEnded(error)) setTrouble(messageOf(error));
    }
  };
  const look = (): void => void load(query("page"), []);
  onMount(look);
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
          look();
        }}
      />
      <Trouble text={trouble()} />
      <Show when={entries()} fallback={<p class="quiet">Loading …</p>}>
        {(known) => (
          <Show when={known().length > 0} fallback={<p class="quiet">Nothing was sent.</p>}>
            <Entries entries={known()} />
          </Show>
        )}
      </Show>
      <Show when={next()}>
        {(more) => (
          <div>
            <button type="button" onClick={() => void load(more(), entries() ?? [])}>
              More
            </button>
          </div>
        )}
      </Show>
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
      peer: valueOf("peer"),
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
