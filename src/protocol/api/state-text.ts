/** What a visitor is told about who sends: one sentence, the same from the server and the script. */

/** Counts of a swarm, and the part that the server takes in it. */
export interface SwarmSummary {
  /** Seeds, the server among them. */
  readonly complete: number;
  readonly incomplete: number;
  readonly participation?: { readonly state: "S0" | "S1" | "S2" } | undefined;
}

/** A sentence for people who know nothing of torrents. `counts` undefined: nobody knows. */
export function stateText(counts: SwarmSummary | undefined): string {
  if (counts === undefined) return "The number of peers is not known right now.";
  const { complete, incomplete, participation } = counts;
  const people = `${peopleText(complete, incomplete)}.`;
  if (incomplete === 0) return `The server is ready for you. ${people}`;
  switch (participation?.state) {
    case "S2":
      return `The people who download share it among themselves; the server stands by. ${people}`;
    case "S1":
      return `The server and other downloaders are helping you now. ${people}`;
    default:
      return `The server is helping you now. ${people}`;
  }
}

function peopleText(complete: number, incomplete: number): string {
  const copies = `${complete} complete ${complete === 1 ? "copy" : "copies"}`;
  return `${copies}, ${incomplete} downloading`;
}
