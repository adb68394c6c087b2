/** Where files are dropped, or chosen by the browser's dialogs. */
import { createSignal } from "solid-js";
import { type Picked, pickedFromDrop, pickedFromInput } from "./picked.ts";

/** Tells what was chosen; nothing when it was empty. */
export function PickArea(props: {
  readonly label?: string;
  readonly onPicked: (picked: Picked) => void;
}) {
  const [isOver, setIsOver] = createSignal(false);
  const [isEmpty, setIsEmpty] = createSignal(false);
  let fileInput: HTMLInputElement | undefined;
  let folderInput: HTMLInputElement | undefined;
  const take = (picked: Picked | undefined): void => {
    setIsEmpty(picked === undefined);
    if (picked !== undefined) props.onPicked(picked);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setIsOver(false);
    if (event.dataTransfer !== null) void pickedFromDrop(event.dataTransfer).then(take);
  };
  const fromInput = (input: HTMLInputElement): void => {
    take(pickedFromInput(input.files ?? []));
    input.value = "";
  };
  return (
    <div
      class="drop"
      classList={{ over: isOver() }}
      role="group"
      aria-label="Choose what to publish"
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
    >
      <svg
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        stroke-width="1.5"
        stroke-linecap="round"
        stroke-linejoin="round"
        aria-hidden="true"
      >
        <path d="M12 16V4M7 9l5-5 5 5M4 20h16" />
      </svg>
      <h2>{props.label ?? "Drop a file or a folder here"}</h2>
      <div class="row">
        <button type="button" class="main" onClick={() => fileInput?.click()}>
          Choose a file
        </button>
        <button type="button" onClick={() => folderInput?.click()}>
          Choose a folder
        </button>
      </div>
      <p class="quiet small" role="status">
        {isEmpty()
          ? "There is no file in it."
          : "Any size. You can pause, and go on after a reload."}
      </p>
      <input
        ref={(element) => (fileInput = element)}
        type="file"
        multiple
        hidden
        aria-label="File"
        data-pick="file"
        onChange={(event) => fromInput(event.currentTarget)}
      />
      <input
        ref={(element) => {
          folderInput = element;
          element.webkitdirectory = true;
        }}
        type="file"
        hidden
        aria-label="Folder"
        data-pick="folder"
        onChange={(event) => fromInput(event.currentTarget)}
      />
    </div>
  );
}
