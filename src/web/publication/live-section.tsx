/** What a publication's swarm does now: figures, rates, states, pieces, peers. */
import { Show } from "solid-js";
import type { LiveDetail, LiveSwarm } from "../../protocol/api/live.ts";
import { countText, moneyText, percentText, rateText, sizeText, timesText } from "../format.ts";
import { Figure, StateLabel } from "../parts/basics.tsx";
import { costOf } from "../parts/price.ts";
import { PeerTable } from "./peer-table.tsx";
import { PieceMap } from "./piece-map.tsx";
import { RateChart } from "./rate-chart.tsx";
import type { RateHistory } from "./rate-history.ts";
import { StateTimeline } from "./state-timeline.tsx";

/** The section; `detail` undefined: nothing was heard yet. */
export function LiveSection(props: {
  readonly detail: LiveDetail | undefined;
  readonly history: RateHistory;
}) {
  return (
    <Show when={props.detail} fallback={<p class="card quiet">Loading …</p>}>
      {(detail) => (
        <div class="stack wide">
          <Now detail={detail()} />
          <Show when={detail().summary.swarm}>
            {(swarm) => <Figures swarm={swarm()} bytes={detail().summary.bytes ?? 0} />}
          </Show>
          <section class="card">
            <h2>Download rate</h2>
            <RateChart history={props.history} rates={detail().rates} />
          </section>
          <section class="card">
            <h2>Who takes part, and why</h2>
            <StateTimeline changes={detail().timeline} now={detail().at} />
          </section>
          <section class="card">
            <h2>Pieces outside the server</h2>
            <PieceMap detail={detail()} />
          </section>
          <section class="card">
            <h2>Peers</h2>
            <PeerTable detail={detail()} />
          </section>
        </div>
      )}
    </Show>
  );
}

/** The state in one sentence. */
function Now(props: { readonly detail: LiveDetail }) {
  return (
    <p class="row baseline" role="status" data-now>
      <Show
        when={props.detail.summary.participation}
        fallback={<span class="quiet">The server has not said yet how the swarm stands.</span>}
      >
        {(held) => (
          <>
            <StateLabel state={held().state} /> <span>{held().message}</span>
          </>
        )}
      </Show>
    </p>
  );
}

function Figures(props: { readonly swarm: LiveSwarm; readonly bytes: number }) {
  const bound = () =>
    props.swarm.boundRatio === undefined ? "–" : timesText(props.swarm.boundRatio);
  return (
    <dl class="figures">
      <Figure
        name="Downloading"
        value={<span data-field="downloaders">{countText(props.swarm.downloaders)}</span>}
        note={`${countText(props.swarm.peers)} peers connected`}
      />
      <Figure
        name="Copies outside"
        value={<span data-field="copies">{countText(props.swarm.copies)}</span>}
        note={`floor ${countText(props.swarm.floor)}`}
      />
      <Figure
        name="Copies sent"
        value={<span data-field="copiesSent">{timesText(props.swarm.copiesSent)}</span>}
        note={`${sizeText(props.swarm.sentBytes)} of ${sizeText(props.bytes)}`}
      />
      <Figure
        name="Saved"
        value={<span data-field="saved">{sizeText(props.swarm.savedBytes)}</span>}
        note={`${moneyText(costOf(props.swarm.savedBytes))} · ${percentText(savedFraction(props.swarm))} of all`}
      />
      <Figure name="Against the bound" value={bound()} note="1 is as fast as can be" />
      <Figure
        name="Direct share"
        value={rateText(props.swarm.directShare)}
        note="by plain download"
      />
    </dl>
  );
}

function savedFraction({ savedBytes, sentBytes }: LiveSwarm): number {
  const all = savedBytes + sentBytes;
  return all === 0 ? 0 : savedBytes / all;
}
