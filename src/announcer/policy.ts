/** The policy of a publisher who chose none. */
export { defaultPolicy } from "../ports/publication-policy.ts";
