/** How much the server takes part, changed while it runs; the effect shows beside it. */
import { createResource, createSignal, Match, Show, Switch } from "solid-js";
import type { LiveDetail } from "../../protocol/api/live.ts";
import {
  getJson,
  messageOf,
  type Policy,
  publicationPath,
  type PublicationView,
  sendJson,
} from "../api.ts";
import { countText, rateText, timesText } from "../format.ts";
import { Field, Figure, StateLabel, Trouble } from "../parts/basics.tsx";
import { PolicyChoice } from "../publish/wishes.tsx";
import { hasSessionEnded } from "../session/session.ts";
import { EndSection } from "./end-section.tsx";

/** The section. */
export function PolicySection(props: {
  readonly name: string;
  readonly detail: LiveDetail | undefined;
}) {
  const [view, { mutate }] = createResource(
    () => props.name,
    (name) => getJson<PublicationView>(publicationPath(name)),
  );
  return (
    <Switch fallback={<p class="quiet">Loading …</p>}>
      <Match when={view.error !== undefined}>
        <Trouble text={messageOf(view.error)} />
      </Match>
      <Match when={view()}>
        {(loaded) => (
          <div class="stack wide">
            <Effect detail={props.detail} />
            <PolicyForm view={loaded()} onChanged={(policy) => mutate({ ...loaded(), policy })} />
            <EndSection name={props.name} />
          </div>
        )}
      </Match>
    </Switch>
  );
}

/** What the policy comes to at this moment. */
function Effect(props: { readonly detail: LiveDetail | undefined }) {
  const swarm = () => props.detail?.summary.swarm;
  const state = () => props.detail?.summary.participation;
  return (
    <dl class="figures">
      <Figure
        name="State now"
        value={
          <Show when={state()} fallback="–">
            {(held) => <StateLabel state={held().state} />}
          </Show>
        }
        note={state()?.message ?? ""}
      />
      <Figure
        name="The server sends"
        value={rateText(swarm()?.sentRate ?? 0)}
        note={`of ${rateText(swarm()?.gainedRate ?? 0)} in all`}
      />
      <Figure
        name="Copies sent"
        value={timesText(swarm()?.copiesSent ?? 0)}
        note="of the content"
      />
      <Figure
        name="Copies outside"
        value={countText(swarm()?.copies ?? 0)}
        note={`floor ${countText(swarm()?.floor ?? 0)}`}
      />
    </dl>
  );
}

const MB = 1e6;
const GB = 1e9;

function PolicyForm(props: {
  readonly view: PublicationView;
  readonly onChanged: (policy: Policy) => void;
}) {
  const { policy: before } = props.view;
  const [policy, setPolicy] = createSignal(before.policy);
  const [floor, setFloor] = createSignal(before.floor?.toString() ?? "");
  const [minRate, setMinRate] = createSignal(scaled(before.minRateBytesPerSecond, MB));
  const [budget, setBudget] = createSignal(scaled(before.egressBudgetBytes, GB));
  const [atEnd, setAtEnd] = createSignal(before.onBudgetEnd ?? "serve-floor-only");
  const [trouble, setTrouble] = createSignal<string>();
  const [isSaved, setIsSaved] = createSignal(false);
  const change = (): Partial<Policy> => ({
    policy: policy(),
    onBudgetEnd: atEnd(),
    ...(floor() !== "" && { floor: Number(floor()) }),
    ...(minRate() !== "" && { minRateBytesPerSecond: Math.round(Number(minRate()) * MB) }),
    ...(budget() !== "" && { egressBudgetBytes: Math.round(Number(budget()) * GB) }),
  });
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setTrouble();
    setIsSaved(false);
    try {
      const path = publicationPath(props.view.name, "/policy");
      const answer = await sendJson<{ policy: Policy }>("PATCH", path, change());
      props.onChanged(answer.policy);
      setIsSaved(true);
    } catch (error) {
      if (!hasSessionEnded(error)) setTrouble(messageOf(error));
    }
  };
  return (
    <form class="card stack wide" onSubmit={(event) => void submit(event)}>
      <div class="columns">
        <PolicyChoice value={policy()} onChange={setPolicy} />
        <div class="stack">
          <NumberField
            label="Floor, copies"
            hint="Copies that each piece must keep outside the server. Empty: as the policy has it."
            value={floor()}
            step="1"
            onChange={setFloor}
          />
          <NumberField
            label="Least rate, MB/s"
            hint="What each downloader gets at least, as far as the uplink goes."
            value={minRate()}
            step="any"
            onChange={setMinRate}
          />
          <NumberField
            label="Egress budget, GB"
            hint="What the server may send in all."
            value={budget()}
            step="any"
            onChange={setBudget}
          />
          <Field label="When the budget is spent">
            {({ id }) => (
              <select
                id={id}
                value={atEnd()}
                onChange={(event) =>
                  setAtEnd(event.currentTarget.value as "serve-floor-only" | "stop" | "ignore")
                }
              >
                <option value="serve-floor-only">Send only what would get lost</option>
                <option value="stop">Send nothing more</option>
                <option value="ignore">Go on</option>
              </select>
            )}
          </Field>
        </div>
      </div>
      <Trouble text={trouble()} />
      <div class="row">
        <button class="main">Save</button>
        <span role="status" class="quiet">
          {isSaved() ? "Saved. It holds from the next piece on." : ""}
        </span>
      </div>
    </form>
  );
}

function NumberField(props: {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly step: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <Field label={props.label} hint={props.hint}>
      {({ id, hintId }) => (
        <input
          id={id}
          type="number"
          min="0"
          step={props.step}
          aria-describedby={hintId}
          value={props.value}
          onInput={(event) => props.onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

function scaled(value: number | undefined, unit: number): string {
  return value === undefined ? "" : String(value / unit);
}
