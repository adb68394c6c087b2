/** A canvas as wide as there is room, drawn anew when that, the theme or what is shown changes. */
import { createEffect, createSignal, onCleanup, onMount } from "solid-js";
import { onThemeChange } from "./theme.ts";

/** Draws on `canvas`, which is `width` pixels of the style sheet wide. */
export type Draw = (canvas: HTMLCanvasElement, width: number) => void;

/** The canvas. `draw` is called inside an effect: signals in it redraw. */
export function Drawing(props: {
  readonly class: string;
  readonly label: string;
  readonly draw: Draw;
}) {
  let canvas: HTMLCanvasElement | undefined;
  const [width, setWidth] = createSignal(0);
  const [theme, setTheme] = createSignal(0);
  onMount(() => {
    const element = canvas as HTMLCanvasElement;
    const resized = new ResizeObserver(() => setWidth(element.clientWidth));
    resized.observe(element);
    const stop = onThemeChange(() => setTheme((version) => version + 1));
    onCleanup(() => {
      stop();
      resized.disconnect();
    });
  });
  createEffect(() => {
    theme();
    if (width() > 0) props.draw(canvas as HTMLCanvasElement, width());
  });
  return (
    <canvas
      ref={(element) => (canvas = element)}
      class={props.class}
      role="img"
      aria-label={props.label}
      width="0"
      height="0"
    />
  );
}
