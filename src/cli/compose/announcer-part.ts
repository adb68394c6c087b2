/** The Announcer in a server process. */
import { readOrCreateKey } from "../../adapters/node/key-file.ts";
import { requestBody } from "../../adapters/node/request-body.ts";
import { createSecrets } from "../../adapters/node/secrets.ts";
import { signingCrypto } from "../../adapters/node/signing-crypto.ts";
import { openPublishToken, type PublishToken } from "../../adapters/node/token-file.ts";
import { readWebBuild } from "../../adapters/node/web-build.ts";
import { SqlCallStore } from "../../adapters/sql/call-store.ts";
import { SqlCatalogue } from "../../adapters/sql/catalogue.ts";
import { type CatalogueTables, catalogueMigrations } from "../../adapters/sql/catalogue-schema.ts";
import { findDatabaseFault, openDatabase } from "../../adapters/sql/database.ts";
import { Announcer } from "../../announcer/announcer.ts";
import { type AnnouncerApp, createAnnouncerApp } from "../../announcer/http/app.ts";
import { IdempotentCalls } from "../../announcer/http/idempotency.ts";
import type { ContentService } from "../../ports/content-service.ts";
import type { AnnouncerControlLink } from "../../ports/tracker-control.ts";
import { version } from "../version.ts";
import { openAccessPart } from "./access-part.ts";
import { knownHosts, originReader } from "./public-url.ts";
import type { ServerWorld } from "./server-world.ts";

/** An open Announcer, its pages and its token. */
export interface AnnouncerPart {
  readonly announcer: Announcer;
  readonly app: AnnouncerApp;
  readonly token: PublishToken;
  /** Makes the first maintainer, once; undefined when there is one. */
  readonly setupToken: string | undefined;
}

/** Opens the Announcer over the world's data folder. */
export async function openAnnouncerPart(
  world: ServerWorld,
  joined: {
    readonly content: ContentService;
    readonly control: AnnouncerControlLink;
    /** The SourceNode is in this very process. */
    readonly isTogether: boolean;
  },
): Promise<AnnouncerPart> {
  const { settings, folder, clock, publicUrl } = world;
  const token = await openPublishToken(folder.pathOf("publish.token"));
  const path = folder.pathOf("announcer.sqlite");
  const db = await openDatabase<CatalogueTables>(path, catalogueMigrations);
  world.onClose(() => db.destroy());
  world.health.add("catalogue", () => findDatabaseFault(db));
  const catalogue = new SqlCatalogue(db);
  const secrets = createSecrets(await readOrCreateKey(folder.pathOf("access.key")));
  const access = await openAccessPart(world, {
    catalogue,
    secrets,
    isOwnerToken: (text) => token.isValid(text),
    tellTracker: (update) => joined.control.updateAccess(update),
  });
  const announcer = new Announcer(
    {
      catalogue,
      content: joined.content,
      control: joined.control,
      clock,
      signing: signingCrypto,
      onEvent: (event) => {
        void access.publicationsChanged();
        // In one process that is no news: it is so before anybody can ask.
        if (event.type !== "reconciled" || !joined.isTogether) world.report(event);
      },
    },
    { publicUrl },
  );
  world.onClose(() => announcer.close());
  world.health.add("source-node", () =>
    announcer.publications.isReady ? undefined : "it has not been reached yet: is it running?",
  );
  await announcer.start();
  // A SourceNode elsewhere may come later; one of our own is there.
  if (joined.isTogether) await announcer.publications.firstReconciliation;
  const told = access.start();
  // A Tracker elsewhere may come later.
  if (joined.isTogether) await told;
  const app = await createAnnouncerApp({
    announcer,
    control: access,
    rules: {
      originOf: originReader(settings),
      allowsPlainTokens: settings.isInsecure,
      takesLocalPaths: joined.isTogether,
      isKnownHost: knownHosts(publicUrl),
    },
    calls: new IdempotentCalls({ store: new SqlCallStore(db), secrets, clock }),
    web: await readWebBuild(),
    bodyOf: requestBody,
    facts: { version, tokenFile: token.path },
    onInternalError: (error) => world.report({ type: "internal-error", message: stackOf(error) }),
  });
  world.onClose(() => app.close());
  return { announcer, app, token, setupToken: await access.openSetup() };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
