// @ts-check

/** @typedef {import('../src/desk/identities.ts').Whom} Whom */

/** A key as a tool shows it, in clear or as a digest of this page. */
const KEY = /^(?:(?:user|ip|api-key|custom):.|(?:user|ip|api-key|custom|key)(?:\+ip)? #[\w-]+$)/s
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|(?=.*::|(?:[^:]*:){7})[\da-f:.]+)(?:\/\d+)?$/i

/**
 * Whom a person means by a text. A key as the command line, a log and this page show it means that key, whatever the form says:
 * `custom:acme`, `user:42+ip:203.0.113.7`, `user #Kx3_a9Qz`, `203.0.113.7`. A user whose id is `custom:acme` is `user:custom:acme`.
 *
 * @param {string} kind the field that the form says @param {string} text @param {string} [ip] the address that completes it
 * @returns {Whom}
 */
export function whomOf(kind, text, ip = '') {
  const typed = text.trim()
  if (KEY.test(typed)) {
    const takesIp = ip !== '' && /^(?:user|api-key):/.test(typed) && !typed.includes('+ip:')
    return takesIp ? `${typed}+ip:${ip}` : typed
  }
  if (kind === 'user' && ADDRESS.test(typed)) return { ip: typed }
  const takesIp = ip !== '' && (kind === 'user' || kind === 'apiKey')
  return /** @type {Whom} */ (takesIp ? { [kind]: typed, ip } : { [kind]: typed })
}
