/** How often each piece exists outside the server; those below the floor stand out. */
import { createMemo, For } from "solid-js";
import { type LiveDetail, pieceCount } from "../../protocol/api/live.ts";
import { countText, pluralText } from "../format.ts";
import { PieceGrid } from "../parts/piece-grid.tsx";
import { themeColour } from "../parts/theme.ts";

/** How strong the colour of a piece is, by its copies above the floor. */
const STRENGTHS = [0.35, 0.55, 0.75, 1];

/** The map with its words. */
export function PieceMap(props: { readonly detail: LiveDetail }) {
  const floor = () => props.detail.summary.swarm?.floor ?? 0;
  const below = createMemo(() => {
    let count = 0;
    const { copies } = props.detail;
    for (let piece = 0; piece < copies.length; piece++) {
      if (pieceCount(copies, piece) < floor()) count++;
    }
    return count;
  });
  const colour = () => {
    const { copies } = props.detail;
    const palette = makePalette();
    return (piece: number) => {
      const count = pieceCount(copies, piece);
      if (count === 0) return palette.none;
      if (count < floor()) return palette.below;
      const step = Math.min(STRENGTHS.length - 1, count - Math.max(1, floor()));
      return palette.enough[step] as string;
    };
  };
  const words = () =>
    floor() === 0
      ? "Nobody is there: all copies are on the server."
      : below() === 0
        ? `Every piece has at least ${floor()} outside the server.`
        : `${countText(below())} of ${pluralText(props.detail.copies.length, "piece")} have less than ${floor()} copies outside the server.`;
  return (
    <div class="stack tight">
      <PieceGrid count={props.detail.copies.length} colour={colour} label={words()} />
      <div class="row spread baseline small">
        <span data-field="below-floor">{words()}</span>
        <ul class="legend">
          <For
            each={[
              ["none", "none"],
              ["below", "below the floor"],
              ["enough", "enough"],
            ]}
          >
            {([kind, name]) => (
              <li>
                <span class={`swatch ${kind}`} aria-hidden="true" />
                {name}
              </li>
            )}
          </For>
        </ul>
      </div>
    </div>
  );
}

/** Colours, read once for a drawing. */
function makePalette() {
  const enough = themeColour("--s2");
  return {
    none: themeColour("--line"),
    below: themeColour("--below"),
    enough: STRENGTHS.map(
      (strength) => `color-mix(in srgb, ${enough} ${strength * 100}%, transparent)`,
    ),
  };
}
