/** Why a port cannot be listened on, in words that say what to do. */
import { BtPublisherError } from "../../base/errors.ts";
import { errnoOf } from "./disk-error.ts";

/** What was to be listened for, and where. */
export interface ListenAttempt {
  /** As it reads after "for": "peers". */
  readonly whom: string;
  /** Undefined: on all addresses. */
  readonly host: string | undefined;
  readonly port: number;
  /** The option of the command line that chooses the port. */
  readonly portOption: string | undefined;
}

/** UNAVAILABLE for a failed `listen`. */
export function listenError(cause: unknown, attempt: ListenAttempt): BtPublisherError {
  const { whom, host, port, portOption } = attempt;
  const choose = `choose another port${portOption === undefined ? "" : ` with ${portOption}`}`;
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `another program uses it: end that one, or ${choose}`,
    EACCES: `ports below 1024 are for root: ${choose}`,
    EADDRNOTAVAIL: "this machine has no such address",
    ENOTFOUND: "there is no host of that name",
    ENOTSUP: "several sockets cannot share a port on this system: leave out --workers",
  };
  const place = host === undefined ? `port ${port}` : `${host}, port ${port}`;
  const why = reasons[errnoOf(cause) ?? ""] ?? String(cause);
  const message = `cannot listen for ${whom} on ${place}: ${why}`;
  return new BtPublisherError("UNAVAILABLE", message, { detail: { host, port }, cause });
}
