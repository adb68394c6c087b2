/** Where the bytes come from that are downloaded now: rates by door and from peers, stacked. */
import { createEffect, For, onCleanup, onMount } from "solid-js";
import uPlot from "uplot";
import type { LiveRates } from "../../protocol/api/live.ts";
import { clockText, rateText } from "../format.ts";
import { onThemeChange, themeColour } from "../parts/theme.ts";
import { type RateHistory, rateParts, WINDOW_MS } from "./rate-history.ts";

const HEIGHT = 220;

/** The chart of `history`; `rates` is said in words, too. */
export function RateChart(props: {
  readonly history: RateHistory;
  readonly rates: LiveRates | undefined;
}) {
  let place: HTMLDivElement | undefined;
  let plot: uPlot | undefined;
  const draw = (): void => {
    plot?.destroy();
    const element = place as HTMLDivElement;
    plot = new uPlot(optionsFor(element.clientWidth), dataOf(props.history), element);
  };
  onMount(() => {
    draw();
    const resized = new ResizeObserver(() => {
      plot?.setSize({ width: (place as HTMLDivElement).clientWidth, height: HEIGHT });
    });
    resized.observe(place as HTMLDivElement);
    const stop = onThemeChange(draw);
    onCleanup(() => {
      stop();
      resized.disconnect();
      plot?.destroy();
    });
  });
  createEffect(() => plot?.setData(dataOf(props.history)));
  return (
    <div class="stack tight">
      <div
        ref={(element) => (place = element)}
        class="chart"
        role="img"
        aria-label="Download rates of the last five minutes; the numbers are below."
      />
      <ul class="legend" data-legend="rates">
        <For each={rateParts}>
          {({ key, name }, index) => (
            <li>
              <span class={`swatch c${index() + 1}`} aria-hidden="true" />
              {name}: <span class="number">{rateText(props.rates?.[key] ?? 0)}</span>
            </li>
          )}
        </For>
      </ul>
    </div>
  );
}

/** At least a minute, at most the window; in seconds. */
function shownSpan(first: number, last: number): [number, number] {
  return [Math.min(Math.max(first, last - WINDOW_MS / 1000), last - 60), last];
}

/** Columns from the top of the stack down: each area is painted over by those below it. */
function dataOf(history: RateHistory): uPlot.AlignedData {
  const [times = [], ...columns] = history.stacked();
  return [times, ...columns.toReversed()] as unknown as uPlot.AlignedData;
}

function optionsFor(width: number): uPlot.Options {
  const ink = themeColour("--quiet");
  const axis = {
    stroke: ink,
    grid: { stroke: themeColour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 8, 0, 0],
    scales: {
      x: { time: true, range: (_plot, min, max) => shownSpan(min ?? 0, max ?? 0) },
      y: { range: (_plot, _min, max) => [0, Math.max(max ?? 0, 10_000) * 1.1] },
    },
    axes: [
      {
        ...axis,
        values: (_plot, ticks) => ticks.map((tick) => clockText(tick * 1000)),
        space: 96,
        size: 30,
      },
      { ...axis, values: (_plot, ticks) => ticks.map((tick) => rateText(tick)), size: 84 },
    ],
    series: [
      {},
      ...rateParts.toReversed().map(({ name }, index) => {
        const colour = themeColour(`--series-${rateParts.length - index}`);
        return { label: name, stroke: colour, fill: colour, width: 0, points: { show: false } };
      }),
    ],
  };
}
