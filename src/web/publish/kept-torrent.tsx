/** For those who have a .torrent out already: the publication keeps its info hash. */
import { toBase64 } from "../../base/base64.ts";
import { MAX_TORRENT_BYTES } from "../../protocol/metainfo/limits.ts";
import { Field } from "../parts/basics.tsx";

/** A field that few need, folded. */
export function KeptTorrentField(props: {
  readonly onChange: (torrent: File | undefined) => void;
}) {
  return (
    <details>
      <summary>Keep an existing .torrent</summary>
      <Field
        label="The .torrent of this very content"
        hint="Its info hash stays, so that old links and magnets lead here; its trackers become ours."
      >
        {({ id, hintId }) => (
          <input
            id={id}
            aria-describedby={hintId}
            type="file"
            accept=".torrent,application/x-bittorrent"
            onChange={(event) => props.onChange(event.currentTarget.files?.[0])}
          />
        )}
      </Field>
    </details>
  );
}

/** What a plan says of it: nothing where none was chosen. @throws Error in words for people. */
export async function torrentOf(file: File | undefined): Promise<{ readonly torrent?: string }> {
  if (file === undefined) return {};
  // Before it is read: somebody may have chosen the content itself.
  if (file.size > MAX_TORRENT_BYTES) throw new Error(`“${file.name}” is no .torrent file`);
  return { torrent: toBase64(new Uint8Array(await file.arrayBuffer())) };
}
