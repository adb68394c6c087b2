/** One of each kind of those who ask a server for something, with the token that each shows. */
import type { AppWorld } from "./announcer-app.ts";
import { TOKEN } from "./announcer-app.ts";

/** Who may come to a door, apart from the publish token's holder. */
export const roles = [
  "anonymous",
  "wrong",
  "expired",
  "revoked",
  "disabled",
  "service",
  "downloader",
  "publisher",
  "maintainer",
  "owner",
] as const;
/** One of `roles`. */
export type Role = (typeof roles)[number];

const HOUR_MS = 60 * 60 * 1000;

/** A token for each role; the virtual clock goes on by an hour. Undefined: none is shown. */
export async function tokensOf(world: AppWorld): Promise<Record<Role, string | undefined>> {
  const { accounts } = world.accessControl;
  const later = () => world.clock.unixNow() + 24 * HOUR_MS;
  const tokenFor = async (
    name: string,
    role: "downloader" | "publisher" | "maintainer",
    expiresAt = later(),
  ) => {
    const user = await accounts.add({ name, role, password: undefined });
    return accounts.makeToken(user, { scopes: undefined, expiresAt });
  };
  const downloader = await tokenFor("dora", "downloader");
  const publisher = await tokenFor("paul", "publisher");
  const maintainer = await tokenFor("mary", "maintainer");
  const expired = await tokenFor("erin", "maintainer", world.clock.unixNow() + HOUR_MS);
  const revoked = await tokenFor("rita", "maintainer");
  const disabled = await tokenFor("dave", "maintainer");
  await accounts.revokeToken(revoked.record.id);
  await accounts.change("dave", { isDisabled: true });
  await world.clock.run({ until: world.clock.now() + HOUR_MS });
  return {
    anonymous: undefined,
    wrong: `btpt_0123456789abcdef_${"A".repeat(43)}`,
    expired: expired.text,
    revoked: revoked.text,
    disabled: disabled.text,
    // A service proves itself on the control link; its key is worth nothing here.
    service: "07".repeat(32),
    downloader: downloader.text,
    publisher: publisher.text,
    maintainer: maintainer.text,
    owner: TOKEN,
  };
}
