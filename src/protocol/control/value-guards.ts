/** Checks of the values that messages of the control link are made of, whatever they are about. */
import { parseIp } from "../../base/ip-address.ts";
import type { InfoHash } from "../../base/units.ts";
import { type Guard, isInteger } from "./guards.ts";

/** An info hash as the link writes it: lower-case hexadecimal. */
export const isInfoHash: Guard<InfoHash> = (value): value is InfoHash =>
  typeof value === "string" && /^[0-9a-f]{40}$/.test(value);

/** An IP address. */
export const isHost: Guard<string> = (value): value is string =>
  typeof value === "string" && parseIp(value) !== undefined;

/** A port that somebody can be reached at. */
export const isPort: Guard<number> = (value): value is number =>
  isInteger(65535)(value) && value > 0;
