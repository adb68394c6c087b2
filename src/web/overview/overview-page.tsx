/** `/admin`: every publication and the SourceNode at a glance, live. */
import { createEffect, createSignal, For, Match, Show, Switch } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import type { LiveSummary } from "../../protocol/api/live.ts";
import { countText, moneyText, percentText, rateText, sizeText, timesText } from "../format.ts";
import { openStream } from "../live-stream.ts";
import { Figure, StateLabel, Title } from "../parts/basics.tsx";
import { costOf, price, setPrice } from "../parts/price.ts";
import { StreamNote } from "../parts/stream-note.tsx";
import { SourceLoad } from "./source-load.tsx";

/** Fewer are found at a glance. */
const MANY_ROWS = 10;

/** The page. */
export function OverviewPage() {
  const stream = openStream((client) => client.watch());
  const [rows, setRows] = createStore<LiveSummary[]>([]);
  createEffect(() => {
    const publications = stream.state()?.publications ?? [];
    setRows(reconcile([...publications], { key: "name" }));
  });
  return (
    <div class="stack wide">
      <div class="row spread">
        <div class="row baseline">
          <Title text="Overview" />
          <StreamNote status={stream.status()} />
        </div>
        <a class="button main" href="/admin/publish">
          Publish
        </a>
      </div>
      <Totals rows={rows} />
      <section class="card" aria-label="Publications">
        <Switch>
          <Match when={rows.length > 0}>
            <Filtered rows={rows} />
          </Match>
          <Match when={stream.state() !== undefined}>
            <Nothing />
          </Match>
          <Match when={true}>
            <div class="empty quiet">Loading …</div>
          </Match>
        </Switch>
      </section>
      <SourceLoad source={stream.state()?.source} isKnown={stream.state() !== undefined} />
    </div>
  );
}

function Nothing() {
  return (
    <div class="empty">
      <h2>Nothing is published yet</h2>
      <p class="quiet">Publish a file once; the server sends about one copy of it.</p>
      <a class="button main" href="/admin/publish">
        Publish something
      </a>
    </div>
  );
}

function Totals(props: { readonly rows: readonly LiveSummary[] }) {
  const sum = (pick: (swarm: NonNullable<LiveSummary["swarm"]>) => number) =>
    props.rows.reduce((total, { swarm }) => total + (swarm === undefined ? 0 : pick(swarm)), 0);
  const saved = () => sum(({ savedBytes }) => savedBytes);
  const sent = () => sum(({ sentBytes }) => sentBytes);
  const gained = () => sum(({ gainedRate }) => gainedRate);
  return (
    <dl class="figures">
      <Figure
        name="Downloading now"
        value={countText(sum(({ downloaders }) => downloaders))}
        note={`${countText(sum(({ peers }) => peers))} peers connected`}
      />
      <Figure
        name="The server sends"
        value={rateText(sum(({ sentRate }) => sentRate))}
        note={`of ${rateText(gained())} that people get`}
      />
      <Figure
        name="Sent so far"
        value={sizeText(sent())}
        note={`costs ${moneyText(costOf(sent()))}`}
      />
      <Figure name="Saved so far" value={sizeText(saved())} note={<Price saved={saved()} />} />
    </dl>
  );
}

function Price(props: { readonly saved: number }) {
  return (
    <span class="price">
      {moneyText(costOf(props.saved))} at
      <input
        type="number"
        aria-label="Price per GB"
        min="0"
        step="0.01"
        value={price()}
        onChange={(event) => setPrice(event.currentTarget.valueAsNumber)}
      />
      per GB
    </span>
  );
}

/** All rows, and a field to look for some of them once there are many. */
function Filtered(props: { readonly rows: readonly LiveSummary[] }) {
  const [text, setText] = createSignal("");
  const shown = () => {
    const wanted = text().trim().toLowerCase();
    return props.rows.filter(({ name, contentName = "" }) =>
      [name, contentName].some((each) => each.toLowerCase().includes(wanted)),
    );
  };
  return (
    <>
      <Show when={props.rows.length >= MANY_ROWS}>
        <div class="row spread">
          <input
            type="search"
            aria-label="Find a publication"
            placeholder="Find a publication"
            value={text()}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <small role="status">
            {countText(shown().length)} of {countText(props.rows.length)}
          </small>
        </div>
      </Show>
      <Show
        when={shown().length > 0}
        fallback={<div class="empty quiet">No publication is named so</div>}
      >
        <Publications rows={shown()} />
      </Show>
    </>
  );
}

function Publications(props: { readonly rows: readonly LiveSummary[] }) {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Publication</th>
          <th scope="col">State</th>
          <th scope="col" class="number">
            Downloading
          </th>
          <th scope="col" class="number" title="Of the rarest piece, outside the server">
            Copies
          </th>
          <th scope="col" class="number" title="What the server sent, in copies of the content">
            Copies sent
          </th>
          <th scope="col" class="number">
            Saved
          </th>
          <th scope="col" class="number" title="Time taken, against the least that is possible">
            Against the bound
          </th>
        </tr>
      </thead>
      <tbody>
        <For each={props.rows}>{(row) => <Row row={row} />}</For>
      </tbody>
    </table>
  );
}

function Row(props: { readonly row: LiveSummary }) {
  const swarm = () => props.row.swarm;
  return (
    <tr data-publication={props.row.name}>
      <th scope="row">
        <a href={`/admin/p/${encodeURIComponent(props.row.name)}`}>
          <bdi>{props.row.contentName ?? props.row.name}</bdi>
        </a>{" "}
        <small>
          <Show when={props.row.bytes !== undefined}>{sizeText(props.row.bytes ?? 0)}</Show>
        </small>
      </th>
      <td data-label="State">
        <RowState row={props.row} />
      </td>
      <td class="number" data-label="Downloading" data-field="downloaders">
        <Known value={swarm()?.downloaders} text={countText} />
      </td>
      <td class="number" data-label="Copies" data-field="copies">
        <Known value={swarm()?.copies} text={countText} />
      </td>
      <td class="number" data-label="Copies sent" data-field="copiesSent">
        <Known value={swarm()?.copiesSent} text={timesText} />
      </td>
      <td class="number" data-label="Saved" data-field="saved">
        <Known value={swarm()?.savedBytes} text={sizeText} />
      </td>
      <td class="number" data-label="Against the bound" data-field="bound">
        <Known value={swarm()?.boundRatio} text={timesText} />
      </td>
    </tr>
  );
}

function Known(props: {
  readonly value: number | undefined;
  readonly text: (value: number) => string;
}) {
  return <>{props.value === undefined ? "–" : props.text(props.value)}</>;
}

const otherStates = {
  uploading: "Uploading",
  hashing: "Checking",
  published: "Starting",
  withdrawn: "Withdrawn",
  removing: "Ending",
} as const;

function RowState(props: { readonly row: LiveSummary }) {
  const held = () => (props.row.state === "published" ? props.row.participation : undefined);
  return (
    <Show when={held()} fallback={<OtherState row={props.row} />}>
      {(state) => (
        <span title={state().message}>
          <StateLabel state={state().state} />
        </span>
      )}
    </Show>
  );
}

function OtherState(props: { readonly row: LiveSummary }) {
  const progress = () => {
    const { progress } = props.row;
    return progress === undefined || progress.total === 0
      ? ""
      : ` ${percentText(progress.bytes / progress.total)}`;
  };
  return (
    <span class="state quiet">
      <span class="dot" aria-hidden="true" />
      {otherStates[props.row.state] + progress()}
    </span>
  );
}
