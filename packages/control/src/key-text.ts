// Keys as texts: decisions, logs, entries and tools show them, and people paste them.
import { type Identity, parseBareAddress } from '@halt/core/gate'

/** The kinds of a key, and the fields of an identity. */
const FIELDS = { user: 'user', 'api-key': 'apiKey', custom: 'custom' } as const
const DIGEST = /^#[\w-]{22}$/

/**
 * The identity that a key names, as decisions and entries show it: `user:42`, `user:42+ip:203.0.113.7`, `ip:2001:db8::/56`, `custom:acme`,
 * `api-key:#…`, `203.0.113.0/24`, or an address alone. The id behind the first colon is taken as it is. Undefined for a text that names
 * no client, such as `shared`.
 */
export function identityIn(text: string): Exclude<Identity, string> | undefined {
  const [, kind, rest = ''] = /^(user|api-key|custom|ip):(.+)$/s.exec(text) ?? []
  if (kind === undefined || kind === 'ip') {
    const address = kind === undefined ? text : rest
    return addressOf(address) === undefined ? undefined : { ip: address }
  }
  const at = kind === 'custom' ? -1 : rest.lastIndexOf('+ip:')
  // A key shows an id that holds such a text as its digest, so it is the address of the client.
  const ip = at > 0 ? addressOf(rest.slice(at + 4)) : undefined
  const id = ip === undefined ? rest : rest.slice(0, at)
  const field = FIELDS[kind as keyof typeof FIELDS]
  const named = { [field]: DIGEST.test(id) ? { digest: id.slice(1) } : id }
  return (ip === undefined ? named : { ...named, ip }) as unknown as Exclude<Identity, string>
}

/** The address in a text: an address, or a network, as the key of an IPv6 address shows one. Undefined for any other text. */
export function addressOf(text: string): string | undefined {
  const address = text.replace(/\/\d+$/, '')
  return parseBareAddress(address) === undefined ? undefined : address
}
