/** A catalogue in the process's memory: for the simulator and for tests. Forgets all at its end. */
import { BtPublisherError } from "../../base/errors.ts";
import type { InfoHash } from "../../base/units.ts";
import {
  type Catalogue,
  type CataloguePage,
  type Publication,
  type PublicationSummary,
  summaryOf,
} from "../../ports/catalogue.ts";

/** The in-memory adapter of the catalogue port. */
export class MemoryCatalogue implements Catalogue {
  readonly #publications = new Map<string, Publication>();

  create(publication: Publication): Promise<void> {
    if (this.#publications.has(publication.name)) {
      return Promise.reject(
        new BtPublisherError(
          "CONFLICT",
          `there is a publication named ${publication.name} already`,
        ),
      );
    }
    return this.#put(publication);
  }

  get(name: string): Promise<Publication | undefined> {
    return Promise.resolve(this.#publications.get(name));
  }

  findByInfoHash(infoHash: InfoHash): Promise<Publication | undefined> {
    return Promise.resolve(this.#withInfoHash(infoHash));
  }

  list(page: CataloguePage = {}): Promise<readonly PublicationSummary[]> {
    const before = page.before ?? Number.POSITIVE_INFINITY;
    const text = (page.text ?? "").toLowerCase();
    const isNamed = ({ name, content }: Publication): boolean =>
      [name, content?.contentName ?? ""].some((each) => each.toLowerCase().includes(text));
    return Promise.resolve(
      [...this.#publications.values()]
        .filter((publication) => publication.createdAt < before && isNamed(publication))
        .sort((a, b) => b.createdAt - a.createdAt)
        .slice(0, page.limit ?? 100)
        .map(summaryOf),
    );
  }

  update(publication: Publication): Promise<void> {
    if (this.#publications.has(publication.name)) return this.#put(publication);
    return Promise.reject(
      new BtPublisherError("NOT_FOUND", `there is no publication named ${publication.name}`),
    );
  }

  remove(name: string): Promise<void> {
    this.#publications.delete(name);
    return Promise.resolve();
  }

  #put(publication: Publication): Promise<void> {
    const infoHash = publication.content?.infoHash;
    const twin = infoHash === undefined ? undefined : this.#withInfoHash(infoHash);
    if (twin !== undefined && twin.name !== publication.name) {
      return Promise.reject(
        new BtPublisherError("CONFLICT", `the same content is published as ${twin.name} already`),
      );
    }
    this.#publications.set(publication.name, publication);
    return Promise.resolve();
  }

  #withInfoHash(infoHash: InfoHash): Publication | undefined {
    for (const publication of this.#publications.values()) {
      if (publication.content?.infoHash === infoHash) return publication;
    }
    return undefined;
  }
}
