/** What somebody picked or dropped: files of one folder, or one file, with their paths. */

/** A file with where it is in what is published. */
export interface PickedFile {
  readonly path: readonly string[];
  readonly file: File;
}

/** What is to be published. */
export interface Picked {
  /** Of the folder, or of the single file. */
  readonly contentName: string;
  readonly isDirectory: boolean;
  /** Sorted by path, so that the same folder makes the same plan on every machine. */
  readonly files: readonly PickedFile[];
}

/** What several files without a folder are called. */
const LOOSE_FILES = "files";

/** From an `<input type=file>`, of files or of a folder. Undefined when it is empty. */
export function pickedFromInput(list: Iterable<File>): Picked | undefined {
  const files = Array.from(list, (file) => {
    const inFolder = file.webkitRelativePath.split("/").filter((part) => part !== "");
    return { path: inFolder.length > 0 ? inFolder : [file.name], file };
  });
  return pickedFrom(files);
}

/** From what was dropped: folders are walked. Undefined when there is no file in it. */
export async function pickedFromDrop(transfer: DataTransfer): Promise<Picked | undefined> {
  // The list is empty after the first await: everything is taken out before.
  const dropped = Array.from(transfer.items, (item) => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  }));
  const found = await Promise.all(
    dropped.map(async ({ entry, file }) => {
      if (entry !== null) return filesOf(entry, []);
      return file === null ? [] : [{ path: [file.name], file }];
    }),
  );
  return pickedFrom(found.flat());
}

/** `files`: paths from the place that was picked from on. */
export function pickedFrom(files: readonly PickedFile[]): Picked | undefined {
  const [first] = files;
  if (first === undefined) return undefined;
  const top = first.path[0] as string;
  if (files.length === 1 && first.path.length === 1) {
    return { contentName: top, isDirectory: false, files };
  }
  const isOneFolder = files.every(({ path }) => path.length > 1 && path[0] === top);
  const inside = files.map(({ path, file }) => ({
    path: isOneFolder ? path.slice(1) : path,
    file,
  }));
  return {
    contentName: isOneFolder ? top : LOOSE_FILES,
    isDirectory: true,
    files: inside.toSorted((a, b) => compare(a.path.join("/"), b.path.join("/"))),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function filesOf(
  entry: FileSystemEntry,
  above: readonly string[],
): Promise<readonly PickedFile[]> {
  const path = [...above, entry.name];
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => {
      (entry as FileSystemFileEntry).file(resolve, reject);
    });
    return [{ path, file }];
  }
  const inside = await entriesOf((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(inside.map((each) => filesOf(each, path)))).flat();
}

/** All entries of a folder: a reader gives some hundred at a time. */
async function entriesOf(reader: FileSystemDirectoryReader): Promise<readonly FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<readonly FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return all;
    all.push(...some);
  }
}
