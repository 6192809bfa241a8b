// A store in etcd 3.5, over the client etcd3. One transaction compares the revisions of all keys, and writes all.
import { casStore, type CasStoreOptions, type Store } from '@halt/core/store'
import type { Etcd3 } from 'etcd3'

// Documents stay.
const NEVER = Date.UTC(9999, 0)

export function etcdStore(client: Etcd3, options: CasStoreOptions = {}): Store {
  const { clock = Date.now } = options
  const nameOf = (key: string): string => `halt/${JSON.stringify(key)}`
  const leases = new Map<number, { readonly id: Promise<string>; readonly until: number }>()

  /** A lease, which removes its keys after this instant, and within four times as long, so that many keys share one. */
  async function leaseUntil(expiresAt: number): Promise<string | undefined> {
    if (expiresAt >= NEVER) return undefined
    const now = await clock()
    const seconds = 2 ** Math.ceil(Math.log2(Math.max(60, (expiresAt - now) / 1000)))
    const found = leases.get(seconds)
    if (found !== undefined && now < found.until) return found.id
    const id = client.lease(2 * seconds, { autoKeepAlive: false }).grant()
    leases.set(seconds, { id, until: now + seconds * 1000 })
    id.catch(() => leases.delete(seconds))
    return id
  }

  return casStore(
    {
      read: keys =>
        Promise.all(
          keys.map(async key => {
            const { kvs } = await client.get(nameOf(key)).exec()
            const [found] = kvs
            if (found === undefined) return { value: undefined, version: '0' }
            return { value: found.value.toString(), version: found.mod_revision }
          }),
        ),
      async swap(swaps) {
        const [first, ...rest] = swaps.map(({ key, version }) => [nameOf(key), 'Mod', '==', version] as const)
        const compared = rest.reduce((all, one) => all.and(...one), client.if(...first!))
        const changed = swaps.filter(({ expiresAt }) => expiresAt !== undefined)
        const ids = await Promise.all(changed.map(({ expiresAt = 0 }) => leaseUntil(expiresAt)))
        const writes = changed.map(({ key, value }, i) => {
          if (value === undefined) return client.delete().key(nameOf(key))
          const put = client.put(nameOf(key)).value(value)
          const id = ids[i]
          return id === undefined ? put : put.lease(id)
        })
        return (await compared.then(...writes).commit()).succeeded
      },
      async remove(keys) {
        const gone = await Promise.all(keys.map(key => client.delete().key(nameOf(key)).exec()))
        return gone.reduce((sum, { deleted }) => sum + Number(deleted), 0)
      },
    },
    // etcd takes 128 operations in a transaction.
    { kind: 'etcd', mostKeys: 100, ...options },
  )
}
