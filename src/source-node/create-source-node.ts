/** Joins the parts of the SourceNode role. */
import type { ParticipationOrder } from "../protocol/control/participation.ts";
import type { FilesDoor } from "../ports/files-door.ts";
import { SourceFilesDoor } from "./files-door.ts";
import { Participation } from "./participation.ts";
import { SourceNode, type SourceNodeDependencies } from "./source-node.ts";
import { StatusReporter } from "./status-reporter.ts";

/** What the role works with: the SourceNode and its reports. */
export type SourceRoleDependencies = Omit<SourceNodeDependencies, "participation">;

/** A running SourceNode. */
export interface SourceRole {
  /** The content service, and what is published. */
  readonly source: SourceNode;
  /** For the HTTP server. */
  readonly filesDoor: FilesDoor;
  /** Takes an order of the Tracker about participation. */
  handleOrder(order: ParticipationOrder): void;
  /** Stops reporting and serving, and writes the ledgers. The adapters stay open. */
  close(): Promise<void>;
}

/** Starts a SourceNode: everything on disk is loaded and begins to be served. @throws STORAGE_IO */
export async function createSourceNode(dependencies: SourceRoleDependencies): Promise<SourceRole> {
  const { clock, uploadLimit, openProbe } = dependencies;
  const participation = new Participation(clock, () => uploadLimit.rateBytesPerSecond);
  const source = new SourceNode({ ...dependencies, participation });
  await source.start();
  const probe = openProbe();
  const reporter = new StatusReporter({
    ...dependencies,
    probe,
    participation,
    publications: () => source.publications,
  });
  reporter.start();
  return {
    source,
    filesDoor: new SourceFilesDoor(source),
    handleOrder: (order) => {
      if (order.type === "state") participation.handleState(order.infoHash, order.decision.state);
      else dependencies.host.addAddresses(order.infoHash, order.peers);
    },
    close: async () => {
      reporter.close();
      probe.close();
      await source.close();
    },
  };
}
