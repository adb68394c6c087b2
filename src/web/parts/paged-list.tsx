/** A list that the server gives page by page: loading, empty, broken, and more of it. */
import { type Accessor, createSignal, type JSX, Match, onMount, Show, Switch } from "solid-js";
import type { ApiPage } from "../../protocol/api/access.ts";
import { api, messageOf } from "../api.ts";
import { hasSessionEnded } from "../session/session.ts";
import { Trouble } from "./basics.tsx";

/** The list as far as it was loaded. */
export interface PagedList<Page extends ApiPage, Item> {
  /** Undefined until the first page came. */
  readonly items: Accessor<readonly Item[] | undefined>;
  /** The first page as it came. */
  readonly first: Accessor<Page | undefined>;
  readonly hasMore: Accessor<boolean>;
  readonly trouble: Accessor<string | undefined>;
  /** Loads the next page. */
  more(): Promise<void>;
  /** Loads the first page anew; what is shown stays until it is there. */
  reload(): Promise<void>;
  /** Changes what is shown, as the server has changed it already. */
  change(change: (items: readonly Item[]) => readonly Item[]): void;
}

/** The list that begins at `path()`; `itemsOf` takes the items out of a page. */
export function createPagedList<Page extends ApiPage, Item>(
  path: Accessor<string>,
  itemsOf: (page: Page) => readonly Item[],
): PagedList<Page, Item> {
  const [items, setItems] = createSignal<readonly Item[]>();
  const [first, setFirst] = createSignal<Page>();
  const [next, setNext] = createSignal<string>();
  const [trouble, setTrouble] = createSignal<string>();
  // An answer that was overtaken by a later request is not shown.
  let asked = 0;
  const load = async (from: string, take: (page: Page) => void): Promise<void> => {
    const number = ++asked;
    setTrouble();
    try {
      const page = await api.call<Page>("GET", from);
      if (number !== asked) return;
      take(page);
      setNext(page.next);
    } catch (error) {
      if (number === asked && !hasSessionEnded(error)) setTrouble(messageOf(error));
    }
  };
  const reload = (): Promise<void> =>
    load(path(), (page) => {
      setFirst(() => page);
      setItems(itemsOf(page));
    });
  onMount(() => void reload());
  return {
    items,
    first,
    trouble,
    reload,
    hasMore: () => next() !== undefined,
    more: () =>
      load(next() ?? path(), (page) => setItems((before = []) => [...before, ...itemsOf(page)])),
    change: (change) => setItems((before) => before && change(before)),
  };
}

/** The list on a page; `empty` is said when there is nothing in it. */
export function PagedView<Item>(props: {
  readonly list: PagedList<ApiPage, Item>;
  readonly empty: JSX.Element;
  readonly children: (items: Accessor<readonly Item[]>) => JSX.Element;
}) {
  const { list } = props;
  const some = () => ((list.items()?.length ?? 0) > 0 ? list.items() : undefined);
  return (
    <>
      <Switch>
        <Match when={some()}>{(items) => props.children(items)}</Match>
        <Match when={list.items() !== undefined}>{props.empty}</Match>
        <Match when={list.trouble() === undefined}>
          <p class="quiet">Loading …</p>
        </Match>
      </Switch>
      <Trouble text={list.trouble()} />
      <Show when={list.trouble() !== undefined && list.items() === undefined}>
        <div>
          <button type="button" onClick={() => void list.reload()}>
            Try again
          </button>
        </div>
      </Show>
      <Show when={list.hasMore()}>
        <div>
          <button type="button" onClick={() => void list.more()}>
            More
          </button>
        </div>
      </Show>
    </>
  );
}
