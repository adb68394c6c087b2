/** How busy the SourceNode is. */
import { Show } from "solid-js";
import type { LiveSource } from "../../protocol/api/live.ts";
import { countText, percentText, rateText } from "../format.ts";
import { Figure } from "../parts/basics.tsx";

/** The load, or that the SourceNode cannot be reached; `isKnown`: whether the server has said. */
export function SourceLoad(props: {
  readonly source: LiveSource | undefined;
  readonly isKnown: boolean;
}) {
  return (
    <section class="stack tight" aria-label="Server load">
      <h2>Server</h2>
      <Show when={props.source} fallback={<Missing isKnown={props.isKnown} />}>
        {(source) => <Load source={source()} />}
      </Show>
    </section>
  );
}

function Missing(props: { readonly isKnown: boolean }) {
  return (
    <p class="card quiet">
      {props.isKnown ? "The SourceNode cannot be reached at the moment." : "Loading …"}
    </p>
  );
}

function Load(props: { readonly source: LiveSource }) {
  const limit = () =>
    props.source.uplinkLimit === undefined
      ? `best seen ${rateText(props.source.uplinkCapacity)}`
      : `limit ${rateText(props.source.uplinkLimit)}`;
  const hitRate = () => {
    const { uplinkRate, storageReadRate } = props.source;
    if (uplinkRate < 1000) return "–";
    return percentText(Math.min(1, Math.max(0, 1 - storageReadRate / uplinkRate)));
  };
  return (
    <dl class="figures">
      <Figure name="Uplink" value={rateText(props.source.uplinkRate)} note={limit()} />
      <Figure name="Processor" value={percentText(props.source.cpuFraction)} note="of one core" />
      <Figure name="Connections" value={countText(props.source.connections)} note="peers" />
      <Figure name="Cache hits" value={hitRate()} note="of what is sent" />
      <Figure
        name="Event loop delay"
        value={`${countText(props.source.eventLoopDelayMs)} ms`}
        note="lower is better"
      />
    </dl>
  );
}
