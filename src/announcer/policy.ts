/** How much the server takes part in a publication when its publisher did not say. */
import type { PublicationPolicy } from "../ports/catalogue.ts";

/** The policy of a publisher who chose none. */
export const defaultPolicy: PublicationPolicy = {
  policy: "balanced",
  floor: undefined,
  minRateBytesPerSecond: undefined,
  egressBudgetBytes: undefined,
  onBudgetEnd: "serve-floor-only",
  deadline: undefined,
};
