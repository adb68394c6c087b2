/** How much the server takes part, changed while it runs; the effect shows beside it. */
import { createResource, createSignal, Match, Show, Switch } from "solid-js";
import { createStore } from "solid-js/store";
import type { LiveDetail } from "../../protocol/api/live.ts";
import type { ApiHeldPolicy, ApiPolicy, ApiPolicyChange } from "../../protocol/api/values.ts";
import { api, hasStatus, messageOf } from "../api.ts";
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
  const [held, { mutate }] = createResource(
    () => props.name,
    (name) => api.policy(name),
  );
  return (
    <Switch fallback={<p class="quiet">Loading …</p>}>
      <Match when={held.error !== undefined}>
        <Trouble text={messageOf(held.error)} />
      </Match>
      <Match when={held()}>
        {(loaded) => (
          <div class="stack wide">
            <Effect detail={props.detail} />
            <PolicyForm held={loaded()} onChanged={mutate} />
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

/** What stands in the form, as text where a field may be empty. */
interface Wishes {
  readonly policy: ApiPolicy["policy"];
  readonly floor: string;
  readonly minRate: string;
  readonly budget: string;
  readonly atEnd: ApiPolicy["onBudgetEnd"];
}

function wishesOf(policy: ApiPolicy): Wishes {
  return {
    policy: policy.policy,
    floor: policy.floor?.toString() ?? "",
    minRate: scaled(policy.minRateBytesPerSecond, MB),
    budget: scaled(policy.egressBudgetBytes, GB),
    atEnd: policy.onBudgetEnd,
  };
}

/** An empty field is the policy's own again. */
function changeOf({ policy, floor, minRate, budget, atEnd }: Wishes): ApiPolicyChange {
  return {
    policy,
    onBudgetEnd: atEnd,
    floor: floor === "" ? null : Number(floor),
    minRateBytesPerSecond: minRate === "" ? null : Math.round(Number(minRate) * MB),
    egressBudgetBytes: budget === "" ? null : Math.round(Number(budget) * GB),
  };
}

const OVERTAKEN =
  "Somebody else changed the policy meanwhile: this is how it stands now. Change it again if you still want to.";

function PolicyForm(props: {
  readonly held: ApiHeldPolicy;
  readonly onChanged: (held: ApiHeldPolicy) => void;
}) {
  const [wishes, setWishes] = createStore<Wishes>(wishesOf(props.held.policy));
  const [trouble, setTrouble] = createSignal<string>();
  const [isSaved, setIsSaved] = createSignal(false);
  const show = (held: ApiHeldPolicy): void => {
    props.onChanged(held);
    setWishes(wishesOf(held.policy));
  };
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setTrouble();
    setIsSaved(false);
    const { name, policyVersion } = props.held;
    try {
      show(await api.setPolicy(name, changeOf(wishes), policyVersion));
      setIsSaved(true);
    } catch (error) {
      if (hasSessionEnded(error)) return;
      setTrouble(hasStatus(error, 412) ? OVERTAKEN : messageOf(error));
      if (hasStatus(error, 412)) await api.policy(name).then(show, () => undefined);
    }
  };
  return (
    <form class="card stack wide" onSubmit={(event) => void submit(event)}>
      <div class="columns">
        <PolicyChoice value={wishes.policy} onChange={(policy) => setWishes({ policy })} />
        <div class="stack">
          <NumberField
            label="Floor, copies"
            hint="Copies that each piece must keep outside the server. Empty: as the policy has it."
            value={wishes.floor}
            step="1"
            onChange={(floor) => setWishes({ floor })}
          />
          <NumberField
            label="Least rate, MB/s"
            hint="What each downloader gets at least, as far as the uplink goes."
            value={wishes.minRate}
            step="any"
            onChange={(minRate) => setWishes({ minRate })}
          />
          <NumberField
            label="Egress budget, GB"
            hint="What the server may send in all."
            value={wishes.budget}
            step="any"
            onChange={(budget) => setWishes({ budget })}
          />
          <Field label="When the budget is spent">
            {({ id }) => (
              <select
                id={id}
                value={wishes.atEnd}
                onChange={(event) =>
                  setWishes({ atEnd: event.currentTarget.value as ApiPolicy["onBudgetEnd"] })
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
