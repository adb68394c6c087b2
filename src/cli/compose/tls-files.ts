/**
 * The certificate and key of a server: read at the start, and taken over again whenever the files
 * have another content. Nobody restarts a server in the middle of downloads to renew a certificate.
 */
import { readFile } from "node:fs/promises";
import { diskError } from "../../adapters/node/disk-error.ts";
import type { TlsIdentity } from "../../adapters/node/front-server.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { Millis } from "../../base/units.ts";
import type { Clock, Timer } from "../../ports/clock.ts";

/** Between two looks at the files: renewals come days before the end. */
const LOOK_MS: Millis = 60_000;

/** Where the files are, PEM. */
export interface TlsPaths {
  readonly certPath: string;
  readonly keyPath: string;
}

/** Whom a change is for. */
export interface TlsUser {
  /** @throws CONFIG when they do not fit together: they are being replaced one after the other. */
  useTls(identity: TlsIdentity): void;
}

/** What became of the files. */
export type TlsEvent =
  | { readonly type: "tls-renewed"; readonly certPath: string }
  | { readonly type: "tls-failed"; readonly message: string };

/** Reads the files. @throws BtPublisherError CONFIG. */
export async function readTls({ certPath, keyPath }: TlsPaths): Promise<TlsIdentity> {
  return { cert: await read("--tls-cert", certPath), key: await read("--tls-key", keyPath) };
}

async function read(option: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { message } = diskError(cause, "read", path);
    throw new BtPublisherError("CONFIG", `${option}: ${message}`, { detail: { path }, cause });
  }
}

/** Looks at the files once a minute until `close`. */
export class TlsWatch {
  readonly #paths: TlsPaths;
  readonly #user: TlsUser;
  readonly #clock: Clock;
  readonly #report: (event: TlsEvent) => void;
  #known: TlsIdentity;
  #told: string | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(
    paths: TlsPaths,
    known: TlsIdentity,
    user: TlsUser,
    world: { readonly clock: Clock; readonly report: (event: TlsEvent) => void },
  ) {
    this.#paths = paths;
    this.#known = known;
    this.#user = user;
    this.#clock = world.clock;
    this.#report = world.report;
    this.#later();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** Takes over what is in the files; what cannot be used is said once, and tried again. */
  async look(): Promise<void> {
    try {
      const found = await readTls(this.#paths);
      if (isSame(found, this.#known)) return;
      this.#user.useTls(found);
      this.#known = found;
      this.#told = undefined;
      this.#report({ type: "tls-renewed", certPath: this.#paths.certPath });
    } catch (error) {
      const message = `${(error as Error).message}; the certificate that was read before stays in use`;
      if (message !== this.#told) this.#report({ type: "tls-failed", message });
      this.#told = message;
    }
  }

  #later(): void {
    this.#timer = this.#clock.setTimer(LOOK_MS, () => {
      void this.look().then(() => {
        if (!this.#isClosed) this.#later();
      });
    });
  }
}

function isSame(a: TlsIdentity, b: TlsIdentity): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key);
}
