/** Why a port cannot be listened on, in words that say what to do. */
import { BtPublisherError } from "../../base/errors.ts";
import { errnoOf } from "./disk-error.ts";

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program uses it: end that one, or choose another port",
  EACCES: "ports below 1024 are for root: choose another port",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "there is no host of that name",
};

/** UNAVAILABLE for a failed `listen`; `whom` is who was listened for, as it reads after "for". */
export function listenError(
  cause: unknown,
  whom: string,
  { host, port }: { readonly host: string | undefined; readonly port: number },
): BtPublisherError {
  const place = host === undefined ? `port ${port}` : `${host}, port ${port}`;
  const why = REASONS[errnoOf(cause) ?? ""] ?? String(cause);
  const message = `cannot listen for ${whom} on ${place}: ${why}`;
  return new BtPublisherError("UNAVAILABLE", message, { detail: { host, port }, cause });
}
