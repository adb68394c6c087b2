/**
 * Whose publication it is. What somebody may not see or change is not there for them: the answer is
 * the one for a name that nobody ever used (A13).
 */
import type { AccessControl } from "../../access/access-control.ts";
import type { PublicationSubject } from "../../access/decisions.ts";
import type { Principal } from "../../access/principal.ts";
import { BtPublisherError } from "../../base/errors.ts";

/** @throws NOT_FOUND unless `principal` may download `publication`. */
export function mustSee<Subject extends PublicationSubject>(
  control: AccessControl,
  principal: Principal,
  publication: Subject | undefined,
): asserts publication is Subject {
  if (publication !== undefined && control.mayDownload(principal, publication)) return;
  throw notThere();
}

/** @throws NOT_FOUND unless `principal` may change `publication`. */
export function mustManage<Subject extends PublicationSubject>(
  control: AccessControl,
  principal: Principal,
  publication: Subject | undefined,
): asserts publication is Subject {
  if (publication !== undefined && control.mayManage(principal, publication)) return;
  throw notThere();
}

/** @throws NOT_FOUND unless `principal` may know what the system does for `publication`. */
export function mustSeeStats<Subject extends PublicationSubject>(
  control: AccessControl,
  principal: Principal,
  publication: Subject | undefined,
): asserts publication is Subject {
  if (publication !== undefined && control.maySeeStats(principal, publication)) return;
  throw notThere();
}

function notThere(): BtPublisherError {
  return new BtPublisherError("NOT_FOUND", "there is no such publication");
}
