/** The peers that the SourceNode is connected to. */
import { createEffect, createMemo, createSignal, For, Show } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import type { LiveDetail, LivePeer, LivePeerReport } from "../../protocol/api/live.ts";
import { countText, percentText, pluralText, rateText, sizeText } from "../format.ts";

/** Rows that are drawn without being asked for. */
const SHOWN = 100;

/** The table; `pieces` of the content, `directShare` in bytes per second. */
export function PeerTable(props: { readonly detail: LiveDetail }) {
  const [peers, setPeers] = createStore<LivePeer[]>([]);
  const [showsAll, setShowsAll] = createSignal(false);
  createEffect(() => setPeers(reconcile([...props.detail.peers], { key: "key" })));
  const pieces = () => Math.max(1, props.detail.copies.length);
  const shown = createMemo(() => (showsAll() ? peers : peers.slice(0, SHOWN)));
  const someReport = createMemo(() => peers.some(({ report }) => report !== undefined));
  const hidden = () => peers.length - shown().length;
  return (
    <Show when={peers.length > 0} fallback={<p class="quiet">Nobody is connected.</p>}>
      <div class="scroll">
        <table class="cards" data-peers>
          <thead>
            <tr>
              <th scope="col">Client</th>
              <th scope="col">Progress</th>
              <th scope="col" class="number">
                Gets
              </th>
              <th scope="col" class="number">
                From the server
              </th>
              <th scope="col" class="number" title="Against what a plain download would have given">
                Owed
              </th>
              <Show when={someReport()}>
                <th scope="col" title="What our client says of itself. Nothing is decided by it.">
                  As it reports
                </th>
              </Show>
            </tr>
          </thead>
          <tbody>
            <For each={shown()}>
              {(peer) => <Row peer={peer} pieces={pieces()} hasReports={someReport()} />}
            </For>
          </tbody>
        </table>
      </div>
      <Show when={hidden() > 0}>
        <div>
          <button type="button" onClick={() => setShowsAll(true)}>
            Show {countText(hidden())} more
          </button>
        </div>
      </Show>
      <Show when={props.detail.otherPeers > 0}>
        <p class="quiet small">and {countText(props.detail.otherPeers)} more peers.</p>
      </Show>
    </Show>
  );
}

function Row(props: {
  readonly peer: LivePeer;
  readonly pieces: number;
  /** Whether there is a column for what peers report. */
  readonly hasReports: boolean;
}) {
  const fraction = () => props.peer.pieces / props.pieces;
  const owed = () => {
    const { owedBytes } = props.peer;
    if (fraction() >= 1) return "complete";
    return owedBytes > 0 ? sizeText(owedBytes) : "ahead";
  };
  return (
    <tr data-peer={props.peer.key}>
      <th scope="row">
        <bdi>{props.peer.client || "Unknown client"}</bdi>{" "}
        <small class="nowrap">{props.peer.address}</small>
      </th>
      <td data-label="Progress" class="nowrap">
        <progress class="bar-cell" aria-label="Progress" max="1" value={fraction()} />
        {percentText(Math.floor(fraction() * 100) / 100)}
      </td>
      <td class="number" data-label="Gets">
        {rateText(props.peer.gainedRate)}
      </td>
      <td class="number" data-label="From the server">
        {rateText(props.peer.sentRate)}
      </td>
      <td class="number" data-label="Owed">
        {owed()}
      </td>
      <Show when={props.hasReports}>
        <td class="full" data-label="As it reports">
          <Show when={props.peer.report} fallback="–">
            {(report) => <Report report={report()} />}
          </Show>
        </td>
      </Show>
    </tr>
  );
}

/** What it says itself: its rates, how many it knows, and where its bytes came from. */
function Report(props: { readonly report: LivePeerReport }) {
  const had = () => props.report.fromSources + props.report.fromPeers;
  const notes = () => {
    const { neighbours, fromPeers, downLimit, leavesWhenDone } = props.report;
    return [
      pluralText(neighbours, "neighbour"),
      had() > 0 && `${percentText(fromPeers / had())} from peers`,
      downLimit !== undefined && `limit ${rateText(downLimit)}`,
      leavesWhenDone && "leaves when done",
    ].filter((note) => note !== false);
  };
  return (
    <div data-report>
      <span class="nowrap">
        gets {rateText(props.report.downRate)}, gives {rateText(props.report.upRate)}
      </span>
      <br />
      <small>{notes().join(", ")}</small>
    </div>
  );
}
