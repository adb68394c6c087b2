/** Plays the ledger back: a slider over time, and how things stood at that moment. */
import { createMemo, createResource, createSignal, Match, onCleanup, Show, Switch } from "solid-js";
import { api, messageOf } from "../api.ts";
import { countText, preciseText, pluralText, rateText, sizeText } from "../format.ts";
import { Figure, StateLabel, Trouble } from "../parts/basics.tsx";
import { PieceGrid } from "../parts/piece-grid.tsx";
import { themeColour } from "../parts/theme.ts";
import {
  type Frame,
  frameAt,
  frameCount,
  groupCount,
  playable,
  type PlayedHistory,
} from "./replay-frames.ts";
import { StateBand } from "./state-timeline.tsx";

/** Time between two frames while it plays: 300 of them take half a minute. */
const FRAME_MS = 100;

/** The player of one publication. */
export function Replay(props: { readonly name: string }) {
  const [history] = createResource(
    () => props.name,
    (name) => api.history(name, { bins: "300" }),
  );
  return (
    <Switch fallback={<p class="quiet">Loading …</p>}>
      <Match when={history.error !== undefined}>
        <Trouble text={messageOf(history.error)} />
      </Match>
      <Match when={playable(history())}>{(played) => <Player history={played()} />}</Match>
      <Match when={history()}>
        <p class="quiet">Nothing was sent yet: there is nothing to play.</p>
      </Match>
    </Switch>
  );
}

function Player(props: { readonly history: PlayedHistory }) {
  const last = () => frameCount(props.history) - 1;
  const [index, setIndex] = createSignal(frameCount(props.history) - 1);
  const [timer, setTimer] = createSignal<ReturnType<typeof setInterval>>();
  const frame = createMemo(() => frameAt(props.history, index()));
  const stop = (): void => {
    clearInterval(timer());
    setTimer();
  };
  const play = (): void => {
    if (index() >= last()) setIndex(0);
    setTimer(
      setInterval(() => {
        if (index() >= last()) stop();
        else setIndex(index() + 1);
      }, FRAME_MS),
    );
  };
  onCleanup(stop);
  return (
    <div class="stack">
      <div class="replay">
        <button type="button" onClick={() => (timer() === undefined ? play() : stop())}>
          {timer() === undefined ? "Play" : "Stop"}
        </button>
        <div>
          <StateBand changes={shownStates(props.history)} now={Date.parse(props.history.until)} />
          <input
            type="range"
            aria-label="Moment"
            min="0"
            max={last()}
            value={index()}
            aria-valuetext={preciseText(frame().at)}
            onInput={(event) => {
              stop();
              setIndex(event.currentTarget.valueAsNumber);
            }}
          />
        </div>
      </div>
      <FrameView history={props.history} frame={frame()} />
    </div>
  );
}

/** States from the beginning of the ledger on: the band has the slider's scale. */
function shownStates({ timeline, since }: PlayedHistory): PlayedHistory["timeline"] {
  const start = Date.parse(since);
  const held = timeline.findLast((each) => each.since <= start);
  const later = timeline.filter((each) => each.since > start);
  return held === undefined ? later : [{ ...held, since: start }, ...later];
}

/** Strength of a group's colour for what was sent of it, against the most that was sent of one. */
const LEAST_STRENGTH = 20;

function FrameView(props: { readonly history: PlayedHistory; readonly frame: Frame }) {
  const most = createMemo(() =>
    Math.max(1, ...frameAt(props.history, frameCount(props.history) - 1).sentOf),
  );
  const colour = () => {
    const { sentOf, now } = props.frame;
    const [none, sent, fresh] = ["--line", "--s1", "--below"].map(themeColour);
    const largest = most();
    return (group: number) => {
      if (now.has(group)) return fresh as string;
      const bytes = sentOf[group] ?? 0;
      if (bytes === 0) return none as string;
      const strength = LEAST_STRENGTH + ((100 - LEAST_STRENGTH) * bytes) / largest;
      return `color-mix(in srgb, ${sent} ${strength.toFixed(0)}%, transparent)`;
    };
  };
  const rate = () => (props.frame.bytes * 1000) / props.history.binMs;
  return (
    <>
      <dl class="figures" data-frame>
        <Figure name="Moment" value={<span class="moment">{preciseText(props.frame.at)}</span>} />
        <Figure
          name="State"
          value={
            <Show when={props.frame.state} fallback="–">
              {(held) => <StateLabel state={held().state} />}
            </Show>
          }
          note={props.frame.state?.message}
        />
        <Figure
          name="Sent by then"
          value={sizeText(props.frame.sentBytes)}
          note={`${rateText(rate())} at this moment`}
        />
        <Figure name="Served" value={countText(props.frame.nodes)} note="nodes at this moment" />
      </dl>
      <PieceGrid
        count={groupCount(props.history)}
        colour={colour}
        label="What the server sent of each piece by then"
      />
      <ul class="legend">
        <li>
          <span class="swatch none" aria-hidden="true" />
          not sent
        </li>
        <li>
          <span class="swatch c1" aria-hidden="true" />
          sent, the stronger the more often
        </li>
        <li>
          <span class="swatch below" aria-hidden="true" />
          being sent
        </li>
        <Show when={props.history.piecesPerGroup > 1}>
          <li>a square is {pluralText(props.history.piecesPerGroup, "piece")}</li>
        </Show>
      </ul>
    </>
  );
}
