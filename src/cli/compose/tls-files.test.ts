/** A certificate that is renewed under a running server. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { connect } from "node:tls";
import { once } from "node:events";
import { SteppedClock } from "../../../test/support/stepped-clock.ts";
import { afterRenewal, beforeRenewal } from "../../../test/support/tls-identities.ts";
import { FrontServer, type TlsIdentity } from "../../adapters/node/front-server.ts";
import { readTls, type TlsEvent, TlsWatch } from "./tls-files.ts";

describe("TLS files", () => {
  let folder: string;
  let paths: { certPath: string; keyPath: string };
  let front: FrontServer;
  let watch: TlsWatch;
  let events: TlsEvent[];
  const clock = new SteppedClock();

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-tls-"));
    paths = { certPath: join(folder, "cert.pem"), keyPath: join(folder, "key.pem") };
    write(beforeRenewal);
    const tls = await readTls(paths);
    front = await FrontServer.open({ host: "127.0.0.1", port: 0, tls });
    events = [];
    watch = new TlsWatch(paths, tls, front, { clock, report: (event) => events.push(event) });
  });

  afterEach(async () => {
    watch.close();
    await front.close();
    rmSync(folder, { recursive: true });
  });

  function write({ cert, key }: TlsIdentity): void {
    writeFileSync(paths.certPath, cert);
    writeFileSync(paths.keyPath, key);
  }

  /** The name in the certificate that a new connection gets. */
  async function servedName(): Promise<unknown> {
    const socket = connect({ host: "127.0.0.1", port: front.port, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return subject.CN;
  }

  test("a renewed certificate is used from the next connection on", async () => {
    assert.equal(await servedName(), "before.test");
    await watch.look();
    assert.deepEqual(events, []);

    write(afterRenewal);
    await watch.look();

    assert.equal(await servedName(), "after.test");
    assert.deepEqual(events, [{ type: "tls-renewed", certPath: paths.certPath }]);
  });

  test("files that do not fit together are said once, and the old certificate stays", async () => {
    write({ cert: afterRenewal.cert, key: beforeRenewal.key });
    await watch.look();
    await watch.look();

    assert.equal(await servedName(), "before.test");
    assert.deepEqual(
      events.map(({ type }) => type),
      ["tls-failed"],
    );

    write(afterRenewal);
    await watch.look();
    assert.equal(await servedName(), "after.test");
  });

  test("it looks once a minute, until it is closed", () => {
    assert.equal(clock.pendingCount, 1);
    watch.close();
    assert.equal(clock.pendingCount, 0);
  });
});
