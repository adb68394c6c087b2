/** Pieces as a grid of small squares on a canvas, drawn anew when they change. */
import { Drawing } from "./drawing.tsx";

/** Bounds of a square's side, in pixels of the style sheet, the gap included. */
const MIN_SIDE = 3;
const MAX_SIDE = 14;

/** Height that the grid tries not to exceed. */
const WANTED_HEIGHT = 180;

/** A grid of `count` squares; `colour` is asked for each at every drawing. */
export function PieceGrid(props: {
  readonly count: number;
  /** Read inside an effect: signals in it redraw the grid. */
  readonly colour: () => (index: number) => string;
  readonly label: string;
}) {
  return (
    <Drawing
      class="map"
      label={props.label}
      draw={(canvas, width) => draw(canvas, width, props.count, props.colour())}
    />
  );
}

/** The side of a square so that all fit, and how many are in a row. */
function gridFor(
  width: number,
  count: number,
): { readonly side: number; readonly columns: number } {
  const ideal = Math.sqrt((width * WANTED_HEIGHT) / Math.max(1, count));
  const side = Math.max(MIN_SIDE, Math.min(MAX_SIDE, Math.floor(ideal)));
  return { side, columns: Math.max(1, Math.floor(width / side)) };
}

function draw(
  canvas: HTMLCanvasElement,
  width: number,
  count: number,
  colour: (index: number) => string,
): void {
  const { side, columns } = gridFor(width, count);
  const height = Math.ceil(count / columns) * side;
  const scale = devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.scale(scale, scale);
  const gap = side > 4 ? 1 : 0;
  for (let index = 0; index < count; index++) {
    context.fillStyle = colour(index);
    const x = (index % columns) * side;
    const y = Math.floor(index / columns) * side;
    context.fillRect(x, y, side - gap, side - gap);
  }
}
