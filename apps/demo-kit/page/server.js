// @ts-check

/**
 * Sends a request to this server. The address leaves out the name and the password that the page's own may hold
 * (`http://me:token@host/live/`), because a browser refuses to fetch such an address; it sends them by itself.
 * @param {string} name @param {RequestInit} options
 */
export function ask(name, options) {
  return fetch(new URL(name, location.origin + location.pathname), options)
}
