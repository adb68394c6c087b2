/** How the upload under way stands, and what can be done about it. */
import { createSignal, type JSX, Match, Show, Switch } from "solid-js";
import { durationText, percentText, rateText, sizeText } from "../format.ts";
import { Trouble } from "../parts/basics.tsx";
import { PickArea } from "./pick-area.tsx";
import type { Picked } from "./picked.ts";
import {
  discard,
  job,
  type JobState,
  pause,
  resume,
  resumeWith,
  totalBytes,
} from "./publish-job.ts";

type Phase<Name extends JobState["phase"]> = Extract<JobState, { readonly phase: Name }>;

/** The job, in the phase it is in. */
export function JobCard() {
  return (
    <section class="card stack" aria-label="Upload" data-phase={job().phase}>
      <Switch>
        <Match when={only(job(), "waiting")}>{(state) => <Waiting state={state()} />}</Match>
        <Match when={only(job(), "uploading")}>{(state) => <Uploading state={state()} />}</Match>
        <Match when={only(job(), "paused")}>{(state) => <Paused state={state()} />}</Match>
        <Match when={only(job(), "checking")}>{(state) => <Checking state={state()} />}</Match>
        <Match when={only(job(), "failed")}>{(state) => <Failed state={state()} />}</Match>
      </Switch>
    </section>
  );
}

function only<Name extends JobState["phase"]>(state: JobState, phase: Name) {
  return state.phase === phase ? (state as Phase<Name>) : undefined;
}

function Head(props: { readonly name: string; readonly children: JSX.Element }) {
  return (
    <div class="row spread">
      <h2>
        <bdi>{props.name}</bdi>
      </h2>
      <div class="row">{props.children}</div>
    </div>
  );
}

function Bar(props: { readonly done: number; readonly total: number; readonly label: string }) {
  return (
    <progress
      aria-label={props.label}
      max={Math.max(1, props.total)}
      value={props.total === 0 ? 1 : props.done}
    />
  );
}

function DiscardButton() {
  return (
    <button type="button" class="danger" onClick={() => void discard()}>
      Discard
    </button>
  );
}

function Uploading(props: { readonly state: Phase<"uploading"> }) {
  const total = () => totalBytes(props.state.plan);
  const left = () => {
    const { rate, sentBytes } = props.state;
    return rate > 0 ? `${durationText((total() - sentBytes) / rate)} left` : "";
  };
  return (
    <>
      <Head name={props.state.plan.contentName}>
        <button type="button" onClick={() => pause()}>
          Pause
        </button>
        <DiscardButton />
      </Head>
      <Bar label="Uploaded" done={props.state.sentBytes} total={total()} />
      <div class="row spread quiet">
        <span data-field="sent">
          Uploading: {percentText(total() === 0 ? 1 : props.state.sentBytes / total())} of{" "}
          {sizeText(total())}
        </span>
        <span class="number">
          {props.state.trouble === undefined ? `${rateText(props.state.rate)} · ${left()}` : ""}
        </span>
      </div>
      <div role="status">
        <Show when={props.state.trouble}>
          {(trouble) => (
            <p class="notice">{trouble()} Trying again by itself; nothing sent so far is lost.</p>
          )}
        </Show>
      </div>
    </>
  );
}

function Paused(props: { readonly state: Phase<"paused"> }) {
  return (
    <>
      <Head name={props.state.plan.contentName}>
        <button type="button" class="main" onClick={() => void resume()}>
          Go on
        </button>
        <DiscardButton />
      </Head>
      <Bar label="Uploaded" done={props.state.sentBytes} total={totalBytes(props.state.plan)} />
      <p class="quiet" role="status">
        Paused at {sizeText(props.state.sentBytes)} of {sizeText(totalBytes(props.state.plan))}. The
        server keeps it for a day.
      </p>
    </>
  );
}

function Waiting(props: { readonly state: Phase<"waiting"> }) {
  const [trouble, setTrouble] = createSignal<string>();
  const take = (picked: Picked): void => {
    void resumeWith(picked).then(setTrouble);
  };
  const kind = () => (props.state.plan.isDirectory ? "folder" : "file");
  return (
    <>
      <Head name={props.state.plan.contentName}>
        <DiscardButton />
      </Head>
      <Bar label="Uploaded" done={props.state.sentBytes} total={totalBytes(props.state.plan)} />
      <p>
        This upload is not finished: {sizeText(props.state.sentBytes)} of{" "}
        {sizeText(totalBytes(props.state.plan))} are on the server. Choose the same {kind()} again,
        and it goes on from there.
      </p>
      <Trouble text={trouble()} />
      <PickArea label={`Drop the same ${kind()} here`} onPicked={take} />
    </>
  );
}

function Checking(props: { readonly state: Phase<"checking"> }) {
  const total = () => totalBytes(props.state.plan);
  return (
    <>
      <Head name={props.state.plan.contentName}>
        <></>
      </Head>
      <Bar label="Checked" done={props.state.doneBytes} total={total()} />
      <p class="quiet" role="status">
        Uploaded. The server takes its checksums and publishes it; this goes on without you, too.
      </p>
    </>
  );
}

function Failed(props: { readonly state: Phase<"failed"> }) {
  return (
    <>
      <Head name={props.state.plan.contentName}>
        <button type="button" class="main" onClick={() => void resume()}>
          Try again
        </button>
        <DiscardButton />
      </Head>
      <Trouble text={props.state.message} />
    </>
  );
}
