// What a database certainly did not apply is known as such, so that a refund is sent again and a charge is written back.
import { describe, expect, it, vi } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { type CasBackend, casStore, type TxBackend, txStore } from '../../src/databases/index.ts'
import { RateLimiter } from '../../src/index.ts'
import type { Group, Store } from '../../src/databases/index.ts'
import { view } from '../world.ts'
import { versioned } from './versioned.ts'

const NOTHING: Group = { demands: [] }
const lost = Object.freeze(new Error('connection lost'))
const fail = (): Promise<never> => Promise.reject(lost)

const unsentOf = (store: Store, group: Group = NOTHING): Promise<unknown> =>
  Promise.resolve(store.evaluate(group)).then(
    () => 'applied',
    (error: { unsent?: unknown }) => error.unsent,
  )

/** A database with transactions, which a test can make fail at one of their steps. */
function transactional(): TxBackend & { failsAt: 'begin' | 'lock' | 'write' | 'commit' | undefined } {
  const rows = new Map<string, string>()
  const backend: ReturnType<typeof transactional> = {
    failsAt: undefined,
    async transaction(work) {
      if (backend.failsAt === 'begin') await fail()
      const written: (() => void)[] = []
      const result = await work({
        lock: async () => (backend.failsAt === 'lock' ? fail() : new Map(rows)),
        async write(changes) {
          if (backend.failsAt === 'write') await fail()
          for (const { key, value } of changes)
            written.push(() => void (value === undefined ? rows.delete(key) : rows.set(key, value)))
        },
      })
      for (const write of written) write()
      if (backend.failsAt === 'commit') await fail()
      return result
    },
    remove: async () => 0,
  }
  return backend
}

describe('txStore', () => {
  const key = { subject: 's', counter: 'k:i', window: 1e9 }

  it.each(['begin', 'lock', 'write'] as const)(
    'knows that nothing is applied that fails at its %s',
    async at => {
      const backend = transactional()
      backend.failsAt = at
      const store = txStore(backend)
      expect(await unsentOf(store, { demands: [], idempotency: key })).toBe(true)
      await expect(store.evaluate({ demands: [], idempotency: key })).rejects.toMatchObject({
        message: 'connection lost',
        cause: lost,
      })
    },
  )

  it('does not know it of one whose commit fails', async () => {
    const backend = transactional()
    backend.failsAt = 'commit'
    expect(await unsentOf(txStore(backend), { demands: [], idempotency: key })).toBeUndefined()
  })
})

describe('casStore', () => {
  const key = { subject: 's', counter: 'k:i', window: 1e9 }
  const backend = (changes: Partial<CasBackend<number>>): CasBackend<number> => ({
    ...versioned(),
    ...changes,
  })

  it('knows that nothing is applied if it cannot read, or if others are always faster', async () => {
    const group = { demands: [], idempotency: key }
    expect(await unsentOf(casStore(backend({ read: fail })), group)).toBe(true)
    const busy = casStore(backend({ swap: async () => false }))
    await expect(busy.evaluate(group)).rejects.toMatchObject({ code: 'HALT_E_STORE_BUSY', unsent: true })
    expect(await unsentOf(casStore(backend({ swap: fail })), group)).toBeUndefined()
  })

  it('makes a refund that found the counter busy as soon as it can', async () => {
    const policy = { name: 'permits', limit: 1, algorithm: 'concurrency', ttl: '1h' } as const
    const database = versioned()
    const state = { isBusy: false }
    const store = casStore({
      ...database,
      swap: async swaps => !state.isBusy && database.swap(swaps),
    })
    const limiter = new RateLimiter({ store, policy, warn: () => {} })
    const decision = await limiter.check(view())
    state.isBusy = true
    await limiter.release(decision)
    state.isBusy = false
    await vi.waitFor(async () => expect((await limiter.check(view())).allowed).toBe(true), {
      timeout: 20_000,
    })
  })
})

it('what a quota admitted while no transaction could begin is charged once in the end', async () => {
  const day = { name: 'day', limit: 100, period: 'daily', anchor: aMinuteAgo(), keyStrategy: 'ip' } as const
  for (const at of ['begin', 'commit'] as const) {
    const backend = transactional()
    const limiter = new RateLimiter({ store: txStore(backend), policy: day, warn: () => {} })
    backend.failsAt = at
    expect(await limiter.check(view(), { cost: 5 })).toMatchObject({ allowed: true, degraded: 'local' })
    backend.failsAt = undefined
    await limiter.check(view({ ip: '198.51.100.99' }))
    await vi.waitFor(async () => expect((await limiter.peek(view())).remaining).toBe(95), { timeout: 20_000 })
    await limiter.close()
    expect((await limiter.peek(view())).remaining).toBe(95)
  }
})
