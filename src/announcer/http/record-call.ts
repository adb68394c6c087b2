/** Writes what was done, or tried by somebody known, into the audit log. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { AccessControl } from "../../access/access-control.ts";

/**
 * Records an answered call. Reading is not recorded, and neither is what strangers were refused:
 * whoever floods the server must not fill its disk. Failed logins are, as fast as they are let try.
 */
export async function recordCall(
  control: AccessControl,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { action, access } = request.routeOptions.config;
  const { statusCode } = reply;
  const isStranger = request.principal.type === "anonymous";
  if (action === undefined) return;
  if (isStranger && (access !== "secret" || statusCode === 429 || statusCode === 400)) return;
  await control.record(request.principal, {
    action,
    subject: subjectOf(request),
    outcome: outcomeOf(statusCode),
    address: request.clientAddress,
  });
}

function outcomeOf(statusCode: number): "done" | "denied" | "failed" {
  if (statusCode < 400) return "done";
  return statusCode === 401 || statusCode === 403 ? "denied" : "failed";
}

/** What the call is about: what its path names, else what its body does. */
function subjectOf({ params, body }: FastifyRequest): string {
  const { name, id, contentName } = (params ?? {}) as Readonly<Record<string, string | undefined>>;
  return name ?? id ?? contentName ?? nameIn(body) ?? "";
}

/** Names only: bodies hold secrets, too. */
function nameIn(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { name, user, publication, catalogue, contentName, path } = body as Readonly<
    Record<string, unknown>
  >;
  const found = [name ?? user ?? contentName ?? path, publication ?? catalogue];
  const names = found.filter((each) => typeof each === "string");
  return names.length === 0 ? undefined : names.join(" ");
}
