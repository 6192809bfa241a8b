import { describe, expect, it } from 'vitest'

import { casStore, txStore } from '../../src/databases/index.ts'
import { limiterOf } from '../../src/http/index.ts'
import type { Decision } from '../../src/index.ts'
import { leases } from '../../src/lease/index.ts'
import { resilience } from '../../src/resilience/index.ts'
import type { Store } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { mistake, world } from '../world.ts'

const policy = { name: 'p', limit: 1000, window: 60, algorithm: 'sliding-window' as const }
const ann = { user: 'ann' }
const makeStore = (): Store => world().store

/** A store that answers later, as one on a server does, and the number of its calls. */
function remote(parts: Partial<Store>): { readonly store: Store; readonly calls: () => number } {
  const counters = new ReferenceStore(world().clock.now)
  let calls = 0
  const store: Store = {
    async evaluate(group) {
      calls++
      return counters.evaluate(group)
    },
    forget: async list => counters.forget(list),
    ...parts,
  }
  return { store, calls: () => calls }
}

/** Lets the limiter of an adapter's options decide for a user. */
async function decide(options: object, times: number): Promise<Decision[]> {
  const limiter = limiterOf(options, makeStore)
  const decisions: Decision[] = []
  for (let i = 0; i < times; i++) decisions.push(await limiter.consume(ann))
  await limiter.close()
  return decisions
}

describe('the limiter of an adapter', () => {
  it('an adapter’s limiter decides in this process while a store that brings resilience is away', async () => {
    const away = async (): Promise<never> => {
      throw new Error('away')
    }
    const store: Store = { evaluate: away, forget: away, evaluator: resilience }
    const found = await decide({ store, policy: { ...policy, limit: 2 }, warn: () => {} }, 3)
    expect(found.map(({ allowed }) => allowed)).toEqual([true, true, false])
    expect(found[0]?.degraded).toBe('local')
  })

  it('an adapter’s limiter takes units in advance where the store brings leases', async () => {
    const leased = { ...policy, lease: { share: 0.1 } }
    const [one, other] = [remote({ evaluator: resilience, leases }), remote({ evaluator: resilience })]
    for (const { store } of [one, other])
      expect((await decide({ store, policy: leased }, 50)).at(-1)?.remaining).toBe(950)
    expect(other.calls()).toBe(50)
    expect(one.calls()).toBeLessThan(25)
  })

  it('an adapter’s limiter decides while a database is away', async () => {
    const away = async (): Promise<never> => {
      throw new Error('away')
    }
    for (const store of [
      casStore({ read: away, swap: away, remove: away }),
      txStore({ transaction: away, remove: away }),
    ]) {
      const found = await decide({ store, policy: { ...policy, limit: 1 }, warn: () => {} }, 2)
      expect(found.map(({ allowed, degraded }) => [allowed, degraded])).toEqual([
        [true, 'local'],
        [false, 'local'],
      ])
    }
  })

  it('an adapter’s limiter refuses a store that answers later and brings nothing', () => {
    const { store } = remote({})
    expect(mistake(() => limiterOf({ store, policy }, makeStore)).code).toBe('HALT_E_EVALUATOR')
  })

  it('an adapter’s limiter does as onStoreError says where a store in this process throws, and tells of it', async () => {
    const full = (): never => {
      throw new Error('full')
    }
    const store = { isSynchronous: true, evaluate: full, forget: full } as unknown as Store
    const told: unknown[] = []
    const telemetry = { onStoreError: (error: unknown) => void told.push(String(error)) }
    const ask = async (onStoreError: string): Promise<Decision> =>
      (await decide({ store, policy, onStoreError, telemetry, warn: () => {} }, 1))[0]!
    expect(await ask('open')).toMatchObject({ allowed: true, degraded: 'open' })
    for (const way of ['closed', 'local'])
      expect(await ask(way)).toMatchObject({
        allowed: false,
        degraded: 'closed',
        reason: 'store-error',
        policy: 'p',
      })
    expect(told).toEqual(Array.from({ length: 3 }, () => 'Error: full'))
  })

  it('an adapter’s limiter charges no counter past the evaluate that replaces the one of its store', async () => {
    class Counted extends ReferenceStore {
      override readonly isSynchronous = true
      readonly isChecked = true
      charges = 0
      charge(): undefined {
        this.charges++
      }
    }
    const store = new Counted(world().clock.now)
    expect((await decide({ store, policy }, 2)).map(({ remaining }) => remaining)).toEqual([999, 998])
    expect(store.charges).toBe(0)
  })
})
