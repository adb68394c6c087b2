/** Publishing what lies on the server's own disk: nothing is uploaded, it is served where it lies. */
import { createSignal, Show } from "solid-js";
import type { ApiCatalogue, ApiPolicy } from "../../protocol/api/values.ts";
import { api, messageOf } from "../api.ts";
import { sizeText } from "../format.ts";
import { Field, Trouble } from "../parts/basics.tsx";
import { navigate } from "../router.ts";
import { hasSessionEnded } from "../session/session.ts";
import { KeptTorrentField, torrentOf } from "./kept-torrent.tsx";
import { sharePath } from "./publish-job.ts";
import { publishPatiently } from "./publish-stream.ts";
import { CatalogueChoice, NameField, PolicyChoice } from "./wishes.tsx";

/** The form; `onCancel`: upload instead. */
export function LocalForm(props: { readonly onCancel: () => void }) {
  const [path, setPath] = createSignal("");
  const [name, setName] = createSignal("");
  const [policy, setPolicy] = createSignal<ApiPolicy["policy"]>("balanced");
  const [catalogue, setCatalogue] = createSignal<ApiCatalogue>("public");
  const [torrent, setTorrent] = createSignal<File>();
  const [trouble, setTrouble] = createSignal<string>();
  const [checked, setChecked] = createSignal<number>();
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setTrouble();
    setChecked(0);
    try {
      const body = {
        path: path(),
        ...(name() !== "" && { name: name() }),
        policy: { policy: policy() },
        access: { catalogue: catalogue() },
        ...(await torrentOf(torrent())),
      };
      const published = await publishPatiently(
        (onProgress) => api.publishLocal(body, onProgress),
        setChecked,
      );
      navigate(sharePath(published.name));
    } catch (error) {
      if (!hasSessionEnded(error)) setTrouble(messageOf(error));
    } finally {
      setChecked();
    }
  };
  return (
    <form class="card stack wide" onSubmit={(event) => void submit(event)}>
      <div class="row spread">
        <h2>From the server's disk</h2>
        <button type="button" onClick={() => props.onCancel()}>
          Upload instead
        </button>
      </div>
      <div class="columns">
        <div class="stack">
          <Field
            label="Path on the server"
            hint="A file or a folder, as in /srv/images/big.iso. It is served where it lies: leave it there."
          >
            {({ id, hintId }) => (
              <input
                id={id}
                aria-describedby={hintId}
                required
                class="mono"
                autocapitalize="none"
                spellcheck={false}
                onInput={(event) => setPath(event.currentTarget.value)}
              />
            )}
          </Field>
          <NameField value={name()} onChange={setName} />
          <CatalogueChoice value={catalogue()} onChange={setCatalogue} />
          <KeptTorrentField onChange={setTorrent} />
        </div>
        <PolicyChoice value={policy()} onChange={setPolicy} />
      </div>
      <Trouble text={trouble()} />
      <div class="row">
        <button class="main" disabled={checked() !== undefined}>
          Publish
        </button>
        <span class="quiet" role="status">
          <Show when={checked() !== undefined}>Checking … {sizeText(checked() ?? 0)}</Show>
        </span>
      </div>
    </form>
  );
}
