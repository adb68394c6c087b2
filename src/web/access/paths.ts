/** Addresses about accounts, in the API and of pages. */

/** The address of one account in the API. */
export function userPath(name: string, rest = ""): string {
  return `/api/v1/users/${encodeURIComponent(name)}${rest}`;
}

/** The page of one account. */
export function accountPage(name: string): string {
  return `/admin/access/accounts/${encodeURIComponent(name)}`;
}

/** `path`, about one account only if `user` is given. */
export function ofUser(path: string, user: string | undefined): string {
  return user === undefined ? path : `${path}?user=${encodeURIComponent(user)}`;
}
