/** Who is logged in. The cookie itself is out of reach of scripts. */
import { createSignal } from "solid-js";
import type { ApiAccount } from "../../protocol/api/access.ts";
import { api, hasStatus } from "../api.ts";
import { navigate } from "../router.ts";

/** Undefined: not asked yet. "nobody": nobody is logged in. */
const [me, setMe] = createSignal<ApiAccount | "nobody" | undefined>();

/** Who is logged in, as far as is known. */
export { me };

/** The account that is logged in, if one is. */
export function account(): ApiAccount | undefined {
  const user = me();
  return typeof user === "object" ? user : undefined;
}

/** Asks the server who is logged in. @throws ApiError when it cannot be reached. */
export async function loadSession(): Promise<void> {
  try {
    setMe(await api.me());
  } catch (error) {
    if (!hasStatus(error, 401)) throw error;
    setMe("nobody");
  }
}

/** Logs in. @throws ApiError when the password is wrong. */
export async function logIn(name: string, password: string): Promise<void> {
  setMe(await api.logIn(name, password));
}

/** Makes the first maintainer, and logs it in. @throws ApiError when the link is not good. */
export async function setUp(token: string, name: string, password: string): Promise<void> {
  await api.setUp(token, name, password);
  await loadSession();
}

/** Ends the session. @throws ApiError when it goes on: scripts cannot take the cookie away. */
export async function logOut(): Promise<void> {
  await api.logOut().catch((error: unknown) => {
    if (!hasStatus(error, 401)) throw error;
  });
  navigate("/login");
  setMe("nobody");
}

/** The session ended on the server's side: the page leads to the log-in, and back from there. */
export function sessionEnded(): void {
  setMe("nobody");
}

/** Whether `error` says that the session has ended; then it is dealt with. */
export function hasSessionEnded(error: unknown): boolean {
  const isSo = hasStatus(error, 401);
  if (isSo) sessionEnded();
  return isSo;
}
