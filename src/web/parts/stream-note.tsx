/** Says how live a page is, where that is not as it should be. */
import { Match, Switch } from "solid-js";
import type { StreamStatus } from "../live-stream.ts";

/** A quiet word beside a heading; read out when it changes. */
export function StreamNote(props: { readonly status: StreamStatus }) {
  return (
    <span class="small quiet" role="status" data-stream={props.status}>
      <Switch>
        <Match when={props.status === "live"}>Live</Match>
        <Match when={props.status === "connecting"}>Connecting …</Match>
        <Match when={props.status === "lost"}>Connection lost, trying again …</Match>
      </Switch>
    </span>
  );
}
