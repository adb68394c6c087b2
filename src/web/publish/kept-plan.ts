/**
 * The plan of an upload under way, kept in this browser: after a reload the same file can be chosen
 * again, and the upload goes on where it was. The files themselves cannot be kept.
 */
import type { ApiCatalogue, ApiPolicy } from "../../protocol/api/values.ts";
import type { Picked } from "./picked.ts";

/** A file of a plan, with what tells that it is the same. */
export interface PlannedFile {
  readonly path: readonly string[];
  readonly length: number;
  readonly modifiedAt: number;
}

/** What was being uploaded. */
export interface KeptPlan {
  readonly name: string;
  readonly contentName: string;
  readonly isDirectory: boolean;
  readonly files: readonly PlannedFile[];
  readonly policy: Pick<ApiPolicy, "policy">;
  readonly catalogue: ApiCatalogue;
}

const KEY = "btpublisher.upload";

/** The kept plan; undefined when there is none. */
export function keptPlan(): KeptPlan | undefined {
  const text = localStorage.getItem(KEY);
  try {
    return text === null ? undefined : (JSON.parse(text) as KeptPlan);
  } catch {
    return undefined;
  }
}

/** Keeps `plan`; a plan that is too large for the browser is not kept. */
export function keepPlan(plan: KeptPlan): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(plan));
  } catch {
    forgetPlan();
  }
}

/** Forgets it: it is published, or nobody wants it any more. */
export function forgetPlan(): void {
  localStorage.removeItem(KEY);
}

/** Files as a plan has them. */
export function plannedFiles({ files }: Picked): readonly PlannedFile[] {
  return files.map(({ path, file }) => ({
    path,
    length: file.size,
    modifiedAt: file.lastModified,
  }));
}

/** Why `picked` is not what `plan` was made of; undefined when it is. */
export function whyAnother(plan: KeptPlan, picked: Picked): string | undefined {
  const now = plannedFiles(picked);
  if (plan.isDirectory !== picked.isDirectory || now.length !== plan.files.length) {
    return `This is not the same: the upload has ${plan.files.length} file(s) of “${plan.contentName}”.`;
  }
  const other = now.find((file, index) => !isSame(file, plan.files[index]));
  if (other === undefined) return undefined;
  const path = other.path.join("/");
  return `“${path}” is another file, or was changed since: discard the upload and publish it anew.`;
}

function isSame(now: PlannedFile, before: PlannedFile | undefined): boolean {
  return (
    before !== undefined &&
    now.path.join("/") === before.path.join("/") &&
    now.length === before.length &&
    now.modifiedAt === before.modifiedAt
  );
}
