// @ts-check

/** @typedef {import('../src/desk/identities.ts').Whom} Whom */

/** The kinds of a key, and the fields of an identity. @type {Readonly<Record<string, string>>} */
const FIELDS = { user: 'user', ip: 'ip', 'api-key': 'apiKey', custom: 'custom' }

/**
 * Whom a person means by a text. A text that begins with a kind, as the command line and this page show keys, means that key, whatever
 * the form says: `custom:acme`, `user:42+ip:203.0.113.7`, `user #Kx3_a9Qz`. A user whose id is `custom:acme` is `user:custom:acme`.
 *
 * @param {string} kind the field that the form says @param {string} text @param {string} [ip] the address that completes it
 * @returns {Whom}
 */
export function whomOf(kind, text, ip = '') {
  const [, named, id = ''] = /^(user|ip|api-key|custom):(.+)$/s.exec(text) ?? []
  const isDigest =
    named === undefined ? /^(user|ip|api-key|custom|key)(\+ip)? #[\w-]+$/.test(text) : id.startsWith('#')
  if (isDigest) return { shown: text }
  if (named === undefined) return withAddress({ [kind]: text }, ip)
  const at = named === 'ip' ? -1 : id.lastIndexOf('+ip:')
  if (at > 0) return withAddress({ [FIELDS[named] ?? '']: id.slice(0, at) }, address(id.slice(at + 4)))
  return withAddress({ [FIELDS[named] ?? '']: named === 'ip' ? address(id) : id }, ip)
}

/** The address of a key. That of an IPv6 address is shown as its network. @param {string} text */
function address(text) {
  return text.includes(':') ? text.replace(/\/\d+$/, '') : text
}

/** @param {Readonly<Record<string, string>>} id @param {string} ip @returns {Whom} */
function withAddress(id, ip) {
  const takesIp = 'user' in id || 'apiKey' in id
  return /** @type {Whom} */ (takesIp && ip !== '' ? { ...id, ip } : id)
}
