/** What was chosen, and the questions before it is uploaded. */
import { createSignal, Show } from "solid-js";
import type { ApiCatalogue, ApiPolicy } from "../../protocol/api/values.ts";
import { messageOf } from "../api.ts";
import { pluralText, sizeText } from "../format.ts";
import { Field, Trouble } from "../parts/basics.tsx";
import { hasSessionEnded } from "../session/session.ts";
import { KeptTorrentField } from "./kept-torrent.tsx";
import type { Picked } from "./picked.ts";
import { startJob } from "./publish-job.ts";
import { CatalogueChoice, NameField, PolicyChoice } from "./wishes.tsx";

/** The form; `onCancel`: choose something else. */
export function UploadForm(props: { readonly picked: Picked; readonly onCancel: () => void }) {
  const [name, setName] = createSignal("");
  const [contentName, setContentName] = createSignal(props.picked.contentName);
  const [policy, setPolicy] = createSignal<ApiPolicy["policy"]>("balanced");
  const [catalogue, setCatalogue] = createSignal<ApiCatalogue>("public");
  const [torrent, setTorrent] = createSignal<File>();
  const [trouble, setTrouble] = createSignal<string>();
  const [isBusy, setIsBusy] = createSignal(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setIsBusy(true);
    setTrouble();
    try {
      await startJob(props.picked, {
        name: name(),
        contentName: contentName(),
        policy: { policy: policy() },
        catalogue: catalogue(),
        torrent: torrent(),
      });
    } catch (error) {
      if (!hasSessionEnded(error)) setTrouble(messageOf(error));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <form class="card stack wide" onSubmit={(event) => void submit(event)}>
      <div class="row spread">
        <Summary picked={props.picked} />
        <button type="button" onClick={() => props.onCancel()}>
          Choose something else
        </button>
      </div>
      <div class="columns">
        <div class="stack">
          <Show when={props.picked.isDirectory && torrent() === undefined}>
            <Field label="Folder" hint="What the folder is called where people download it.">
              {({ id, hintId }) => (
                <input
                  id={id}
                  aria-describedby={hintId}
                  required
                  maxlength={200}
                  value={contentName()}
                  onInput={(event) => setContentName(event.currentTarget.value)}
                />
              )}
            </Field>
          </Show>
          <NameField value={name()} onChange={setName} />
          <CatalogueChoice value={catalogue()} onChange={setCatalogue} />
          <KeptTorrentField onChange={setTorrent} />
        </div>
        <PolicyChoice value={policy()} onChange={setPolicy} />
      </div>
      <Trouble text={trouble()} />
      <div class="row">
        <button class="main" disabled={isBusy()}>
          {isBusy() ? "Planning …" : "Upload and publish"}
        </button>
      </div>
    </form>
  );
}

function Summary(props: { readonly picked: Picked }) {
  const bytes = () => props.picked.files.reduce((sum, { file }) => sum + file.size, 0);
  return (
    <div>
      <h2>
        <bdi>{props.picked.contentName}</bdi>
      </h2>
      <p class="quiet">
        {sizeText(bytes())}
        {props.picked.isDirectory ? ` in ${pluralText(props.picked.files.length, "file")}` : ""}
      </p>
    </div>
  );
}
