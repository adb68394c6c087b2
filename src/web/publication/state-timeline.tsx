/** The states of a swarm over time, each with its reason: as a band, and in words. */
import { createSignal, For, Show } from "solid-js";
import type { LiveStateChange } from "../../protocol/api/live.ts";
import { clockText, dayText, durationText, momentText } from "../format.ts";
import { StateLabel, stateNames } from "../parts/basics.tsx";
import { Drawing } from "../parts/drawing.tsx";
import { themeColour } from "../parts/theme.ts";

/** Changes that are listed without being asked for. */
const SHOWN = 6;

const DAY_MS = 24 * 60 * 60 * 1000;

/** The time line up to `now` (Unix milliseconds). */
export function StateTimeline(props: {
  readonly changes: readonly LiveStateChange[];
  readonly now: number;
}) {
  const [showsAll, setShowsAll] = createSignal(false);
  const newestFirst = () => props.changes.toReversed();
  const shown = () => (showsAll() ? newestFirst() : newestFirst().slice(0, SHOWN));
  return (
    <div class="stack tight">
      <StateBand changes={props.changes} now={props.now} />
      <Show when={props.changes.length > 0} fallback={<p class="quiet">No state yet.</p>}>
        <ol class="timeline" data-timeline>
          <For each={shown()}>
            {(change, index) => (
              <li>
                <time
                  datetime={new Date(change.since).toISOString()}
                  title={momentText(change.since)}
                >
                  {timeText(change.since, props.now)}
                </time>
                <StateLabel state={change.state} />
                <span>
                  {change.message}
                  <span class="quiet">
                    {index() === 0
                      ? ` · for ${durationText((props.now - change.since) / 1000)}`
                      : ""}
                  </span>
                </span>
              </li>
            )}
          </For>
        </ol>
      </Show>
      <Show when={props.changes.length > SHOWN}>
        <div>
          <button type="button" onClick={() => setShowsAll(!showsAll())}>
            {showsAll() ? "Show the newest" : `Show all ${props.changes.length}`}
          </button>
        </div>
      </Show>
    </div>
  );
}

function timeText(at: number, now: number): string {
  return now - at < DAY_MS ? clockText(at) : dayText(at);
}

/** The same as a band from the first change to now. */
export function StateBand(props: {
  readonly changes: readonly LiveStateChange[];
  readonly now: number;
}) {
  const label = () =>
    `States since ${momentText(props.changes[0]?.since ?? props.now)}; now: ${
      stateNames[props.changes.at(-1)?.state ?? "S0"]
    }`;
  return (
    <Drawing
      class="band"
      label={label()}
      draw={(canvas, width) => drawBand(canvas, width, props.changes, props.now)}
    />
  );
}

function drawBand(
  canvas: HTMLCanvasElement,
  width: number,
  changes: readonly LiveStateChange[],
  now: number,
): void {
  const context = canvas.getContext("2d");
  const first = changes[0]?.since;
  if (context === null || first === undefined) return;
  canvas.width = width * devicePixelRatio;
  canvas.height = canvas.clientHeight * devicePixelRatio;
  const span = Math.max(1, now - first);
  const x = (at: number) => ((Math.min(at, now) - first) / span) * canvas.width;
  changes.forEach(({ state, since }, index) => {
    const end = changes[index + 1]?.since ?? now;
    context.fillStyle = themeColour(`--${state.toLowerCase()}`);
    context.fillRect(x(since), 0, Math.max(1, x(end) - x(since)), canvas.height);
  });
}
