/** The progress line of long work, fitted to the width of the terminal. */
import { formatBytes, formatRate, formatSeconds } from "./text.ts";

/** How far a piece of work is. Names are those of the `progress` event. */
export interface ProgressFigures {
  /** Bytes done, verified where there is something to verify. */
  readonly bytes: number;
  readonly total: number;
  /** Bytes a second. */
  readonly downRate?: number;
  /** Bytes a second. */
  readonly upRate?: number;
  /** Open connections. */
  readonly peers?: number;
  /** Bytes that came from SourceNodes and web seeds. */
  readonly fromSource?: number;
  /** Bytes that came from other peers. */
  readonly fromPeers?: number;
}

const BAR_WIDTH = 24;

/** One line of at most `columns` characters; parts fall away from the right when it is narrow. */
export function progressLine(figures: ProgressFigures, columns: number): string {
  const share = figures.total === 0 ? 1 : figures.bytes / figures.total;
  const parts = [percent(share), bar(share), ...sizeParts(figures), ...swarmParts(figures)];
  let line = parts[0] as string;
  for (const part of parts.slice(1)) {
    const longer = `${line}  ${part}`;
    if (longer.length > columns) break;
    line = longer;
  }
  return line;
}

/** Rounded down: 100 % means done. */
function percent(share: number): string {
  return `${String(Math.floor(share * 100)).padStart(3)} %`;
}

function bar(share: number): string {
  const filled = Math.floor(share * BAR_WIDTH);
  return `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}]`;
}

function sizeParts(figures: ProgressFigures): string[] {
  const parts = [`${formatBytes(figures.bytes)} of ${formatBytes(figures.total)}`];
  if (figures.downRate === undefined) return parts;
  parts.push(formatRate(figures.downRate));
  const left = figures.total - figures.bytes;
  if (left > 0 && figures.downRate > 0)
    parts.push(`${formatSeconds(left / figures.downRate)} left`);
  return parts;
}

function swarmParts(figures: ProgressFigures): string[] {
  const parts: string[] = [];
  if (figures.peers !== undefined) parts.push(`${figures.peers} peers`);
  const { fromSource = 0, fromPeers = 0 } = figures;
  if (fromSource + fromPeers > 0) {
    parts.push(`${Math.round((100 * fromPeers) / (fromSource + fromPeers))} % from peers`);
  }
  if (figures.upRate !== undefined) parts.push(`up ${formatRate(figures.upRate)}`);
  return parts;
}
