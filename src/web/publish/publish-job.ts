/**
 * The upload under way in this tab, if any: it goes on while other pages of the application are
 * looked at. Plan, upload, check and publish; each step can be taken again after it broke.
 */
import { createSignal } from "solid-js";
import type { ApiCatalogue, ApiPolicy } from "../../protocol/api/values.ts";
import { ApiError, api, messageOf } from "../api.ts";
import { navigate } from "../router.ts";
import { hasSessionEnded } from "../session/session.ts";
import { httpUpload } from "./http-upload.ts";
import {
  forgetPlan,
  keepPlan,
  keptPlan,
  type KeptPlan,
  plannedFiles,
  whyAnother,
} from "./kept-plan.ts";
import { torrentOf } from "./kept-torrent.tsx";
import type { Picked } from "./picked.ts";
import { publishPatiently } from "./publish-stream.ts";
import { RateMeter } from "./rate-meter.ts";
import { Refusal, upload } from "./upload.ts";

/** How the job stands. */
export type JobState =
  | { readonly phase: "none" }
  /** The browser was closed or reloaded: the files must be chosen again. */
  | { readonly phase: "waiting"; readonly plan: KeptPlan; readonly sentBytes: number }
  | {
      readonly phase: "uploading";
      readonly plan: KeptPlan;
      readonly sentBytes: number;
      /** Bytes per second, lately. */
      readonly rate: number;
      /** Set while the connection is lost. */
      readonly trouble: string | undefined;
    }
  | { readonly phase: "paused"; readonly plan: KeptPlan; readonly sentBytes: number }
  | { readonly phase: "checking"; readonly plan: KeptPlan; readonly doneBytes: number }
  | { readonly phase: "failed"; readonly plan: KeptPlan; readonly message: string };

/** What is published, apart from the files. */
export interface PublishWishes {
  /** Empty: made from the content's name. */
  readonly name: string;
  readonly contentName: string;
  readonly policy: Pick<ApiPolicy, "policy">;
  readonly catalogue: ApiCatalogue;
  /** Whose info hash is kept; undefined: a new torrent is made. */
  readonly torrent: File | undefined;
}

const [job, setJob] = createSignal<JobState>({ phase: "none" });

/** How the job stands now. */
export { job };

let picked: Picked | undefined;
let pauser: AbortController | undefined;

/** Bytes of all files of a plan. */
export function totalBytes({ files }: KeptPlan): number {
  return files.reduce((sum, { length }) => sum + length, 0);
}

/** Begins. @throws ApiError when the server does not take the plan; Error for what is no .torrent. */
export async function startJob(content: Picked, wishes: PublishWishes): Promise<void> {
  const { name, contentName, policy, catalogue, torrent } = wishes;
  const files = plannedFiles(content);
  const answer = await api.planUpload({
    ...(name !== "" && { name }),
    contentName,
    isDirectory: content.isDirectory,
    files: files.map(({ path, length }) => ({
      path: content.isDirectory ? path : [contentName],
      length,
    })),
    policy,
    access: { catalogue },
    ...(await torrentOf(torrent)),
  });
  picked = content;
  const { isDirectory } = content;
  const plan = { name: answer.name, contentName, isDirectory, files, policy, catalogue };
  keepPlan(plan);
  void run(plan, content, answer.receivedBytes);
}

/** Looks whether an upload was left unfinished by an earlier visit; does nothing during one. */
export async function findUnfinished(): Promise<void> {
  const plan = keptPlan();
  if (plan === undefined || job().phase !== "none") return;
  const status = await api.status(plan.name).catch(() => undefined);
  if (status?.state === "hashing") return check(plan);
  if (status?.state !== "uploading") return forgetPlan();
  const received = await receivedBytes(plan);
  const sentBytes = received.reduce((sum, bytes) => sum + bytes, 0);
  if (sentBytes === totalBytes(plan)) return check(plan);
  setJob({ phase: "waiting", plan, sentBytes });
}

/** Goes on after a reload. @returns why these files are not the ones; undefined: it goes on. */
export async function resumeWith(content: Picked): Promise<string | undefined> {
  const state = job();
  if (state.phase !== "waiting") return undefined;
  const why = whyAnother(state.plan, content);
  if (why !== undefined) return why;
  picked = content;
  await resume();
  return undefined;
}

/** Goes on after a pause or a failure. */
export async function resume(): Promise<void> {
  const state = job();
  if (state.phase === "none") return;
  const { plan } = state;
  try {
    const received = await receivedBytes(plan);
    if (picked === undefined) await check(plan);
    else await run(plan, picked, received);
  } catch (error) {
    fail(plan, error);
  }
}

/** Stops sending; what the server has it keeps for a day. */
export function pause(): void {
  const state = job();
  if (state.phase !== "uploading") return;
  pauser?.abort();
  setJob({ phase: "paused", plan: state.plan, sentBytes: state.sentBytes });
}

/** Gives the upload up, here and on the server. */
export async function discard(): Promise<void> {
  const state = job();
  if (state.phase === "none") return;
  pauser?.abort();
  picked = undefined;
  forgetPlan();
  setJob({ phase: "none" });
  // When it does not work, the server drops it by itself after a day.
  await api.unpublish(state.plan.name).catch(() => undefined);
}

async function receivedBytes({ name }: KeptPlan): Promise<readonly number[]> {
  return (await api.upload(name)).receivedBytes;
}

async function run(plan: KeptPlan, content: Picked, received: readonly number[]): Promise<void> {
  pauser = new AbortController();
  const { signal } = pauser;
  const meter = new RateMeter();
  const tell = (sentBytes: number, trouble: string | undefined): void => {
    if (signal.aborted) return;
    const rate = meter.rateAt(performance.now(), sentBytes);
    setJob({ phase: "uploading", plan, sentBytes, rate, trouble });
  };
  tell(
    received.reduce((sum, bytes) => sum + bytes, 0),
    undefined,
  );
  try {
    const parts = { files: content.files.map(({ file }) => file), receivedBytes: received };
    const isWhole = await upload(parts, httpUpload(plan.name), {
      signal,
      tell: ({ sentBytes, trouble }) => tell(sentBytes, trouble),
    });
    if (isWhole) await check(plan);
  } catch (error) {
    fail(plan, error);
  }
}

/** The server hashes what it got, and publishes it. */
async function check(plan: KeptPlan): Promise<void> {
  setJob({ phase: "checking", plan, doneBytes: 0 });
  try {
    await publishPatiently(
      (onProgress) => api.publish(plan.name, onProgress),
      (doneBytes) => setJob({ phase: "checking", plan, doneBytes }),
    );
  } catch (error) {
    return fail(plan, error);
  }
  forgetPlan();
  picked = undefined;
  setJob({ phase: "none" });
  if (location.pathname === "/admin/publish") navigate(sharePath(plan.name));
}

/** The page with everything to share. */
export function sharePath(name: string): string {
  return `/admin/p/${encodeURIComponent(name)}/share`;
}

function fail(plan: KeptPlan, error: unknown): void {
  setJob({ phase: "failed", plan, message: messageOf(error) });
  if (error instanceof ApiError || error instanceof Refusal) hasSessionEnded(error);
}
