/**
 * The login service's own page, for browsers in which the modal can't be had.
 *
 * @param {string} api address of the login service, without a slash at its end
 */
export function hostedPage(api) {
  return `${api}/login?${new URLSearchParams({ return_to: returnAddress(api) })}`;
}

/**
 * This page's address as the login service takes it: on its own origin without the origin.
 *
 * @param {string} api
 */
export function returnAddress(api) {
  const { origin, pathname, search, hash, href } = location;
  return origin === new URL(api, href).origin ? pathname + search + hash : href;
}
