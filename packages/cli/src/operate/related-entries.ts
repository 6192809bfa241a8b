import { isIP } from 'node:net'
import type { Control, ControlEntry } from '@halt/control'
import type { Identity } from '@halt/core'

/**
 * The blocks and permissions that hold for requests of a client, under its own id, a part of it, or a network of its address: for
 * `user:42` that of `user:42+ip:203.0.113.7` too, because it holds for some requests of the user.
 */
export async function relatedEntries(target: Identity, control: Control): Promise<ControlEntry[]> {
  const { ip } = target as { readonly ip?: string }
  const isNetwork = ip?.includes('/') === true
  const own = partsOf(control.keyOf(target))
  const entries = await control.entries()
  return entries.filter(entry => {
    if ((entry.kind !== 'block' && entry.kind !== 'allow') || entry.target === undefined) return false
    const parts = partsOf(entry.target)
    if (parts.every(part => own.includes(part)) || own.every(part => parts.includes(part))) return true
    const isOfNetwork = isIP(entry.target.split('/')[0] ?? '') !== 0
    return ip !== undefined && !isNetwork && isOfNetwork && control.reaches({ ip: entry.target }, ip)
  })
}

/** The ids of a key: `user:42+ip:203.0.113.7` has two. A user's id with such a text in it is a digest. */
function partsOf(key: string): string[] {
  const at = key.lastIndexOf('+ip:')
  return at < 0 ? [key] : [key.slice(0, at), key.slice(at + 1)]
}
