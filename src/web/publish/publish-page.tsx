/** `/admin/publish`: choose, name, publish; or how the upload under way stands. */
import { createSignal, Match, onMount, Show, Switch } from "solid-js";
import { Title } from "../parts/basics.tsx";
import { JobCard } from "./job-card.tsx";
import { LocalForm } from "./local-form.tsx";
import { PickArea } from "./pick-area.tsx";
import type { Picked } from "./picked.ts";
import { findUnfinished, job } from "./publish-job.ts";
import { UploadForm } from "./upload-form.tsx";

/** The page. */
export function PublishPage() {
  const [picked, setPicked] = createSignal<Picked>();
  const [isLocal, setIsLocal] = createSignal(false);
  onMount(() => void findUnfinished());
  return (
    <div class="stack wide">
      <Title text="Publish" />
      <Switch>
        <Match when={job().phase !== "none"}>
          <JobCard />
        </Match>
        <Match when={isLocal()}>
          <LocalForm onCancel={() => setIsLocal(false)} />
        </Match>
        <Match when={true}>
          <Show
            when={picked()}
            keyed
            fallback={
              <div class="stack">
                <PickArea onPicked={setPicked} />
                <p class="quiet">
                  Is it on the server already?{" "}
                  <button type="button" onClick={() => setIsLocal(true)}>
                    Give its path
                  </button>
                </p>
              </div>
            }
          >
            {(content) => <UploadForm picked={content} onCancel={() => setPicked()} />}
          </Show>
        </Match>
      </Switch>
    </div>
  );
}
