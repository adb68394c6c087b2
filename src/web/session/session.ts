/** Who is logged in. The cookie itself is out of reach of scripts. */
import { createSignal } from "solid-js";
import { ApiError, getJson, type Me, request, sendJson } from "../api.ts";
import { navigate } from "../router.ts";

/** Undefined: not asked yet. "nobody": nobody is logged in. */
const [me, setMe] = createSignal<Me | "nobody" | undefined>();

/** Who is logged in, as far as is known. */
export { me };

/** The account that is logged in, if one is. */
export function account(): Me | undefined {
  const user = me();
  return typeof user === "object" ? user : undefined;
}

/** Asks the server who is logged in. @throws ApiError when it cannot be reached. */
export async function loadSession(): Promise<void> {
  try {
    setMe(await getJson<Me>("/api/v1/me"));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    setMe("nobody");
  }
}

/** Logs in. @throws ApiError when the password is wrong. */
export async function logIn(name: string, password: string): Promise<void> {
  setMe(await sendJson<Me>("POST", "/api/v1/sessions", { name, password }));
}

/** Makes the first maintainer, and logs it in. @throws ApiError when the link is not good. */
export async function setUp(token: string, name: string, password: string): Promise<void> {
  await request("POST", "/api/v1/setup", { token, name, password, session: true });
  await loadSession();
}

/** Ends the session. */
export async function logOut(): Promise<void> {
  await request("DELETE", "/api/v1/sessions/current").catch(() => undefined);
  navigate("/login");
  setMe("nobody");
}

/** The session ended on the server's side: the page leads to the log-in, and back from there. */
export function sessionEnded(): void {
  setMe("nobody");
}

/** Whether `error` says that the session has ended; then it is dealt with. */
export function hasSessionEnded(error: unknown): boolean {
  const isSo = error instanceof ApiError && error.status === 401;
  if (isSo) sessionEnded();
  return isSo;
}
