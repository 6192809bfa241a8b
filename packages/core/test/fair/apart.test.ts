// Tenants that share a bucket of a store that is away, or of several nodes.
import { expect, it } from 'vitest'

import { RateLimiter, type RatePolicy } from '../../src/index.ts'
import { evaluateAcross } from '../../src/databases/across/index.ts'
import type { Store } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { failableLimiter, pause } from '../resilience/faulty-store.ts'

// Hardly anything is paid back while a test runs.
const BACKEND: RatePolicy = {
  name: 'backend',
  limit: 40,
  window: 40_000,
  keyStrategy: 'shared',
  fair: { by: 'user' },
}
const UNSENT = Object.assign(new Error('no'), { unsent: true })

/** How many units a tenant has had beyond its share. */
async function ahead(limiter: RateLimiter, user: string): Promise<number> {
  return (await limiter.explain({ user })).policies[0]!.fair!.ahead
}

it('a refund that the store has missed is given back to the tenant as well as to the bucket', async () => {
  const { store, limiter } = failableLimiter(BACKEND)
  for (let i = 0; i < 15; i++) await limiter.consume({ user: 'z' })
  const call = await limiter.reserve({ user: 'a' }, { cost: 20 })
  const before = await ahead(limiter, 'a')
  Object.assign(store, { fault: 'reject', error: UNSENT })
  await call.cancel()
  store.fault = 'none'
  for (let i = 0; i < 100 && before - (await ahead(limiter, 'a')) < 19; i++) await pause(50)
  expect(before - (await ahead(limiter, 'a'))).toBeGreaterThan(19)
  expect((await limiter.inspect({ user: 'a' }))[0]!.used).toBe(15)
})

it.each([[BACKEND], [{ ...BACKEND, fair: undefined }]])(
  'a second outage gives nothing that this process has used up in the first: %o',
  async policy => {
    const { store, limiter, recover } = failableLimiter(policy, { instances: 1 })
    const admitted = async (): Promise<number> => {
      Object.assign(store, { fault: 'reject', error: UNSENT })
      let count = 0
      for (let i = 0; i < 60; i++) if ((await limiter.consume({ user: 'a' })).allowed) count++
      return count
    }
    await limiter.consume({ user: 'a' })
    expect(await admitted()).toBe(39)
    await recover()
    expect(await admitted()).toBe(0)
  },
)

it('a request that another node refuses moves its tenant on no further', async () => {
  const now = 1_700_000_000_000
  const nodes = new Map<string, ReferenceStore>()
  const nodeOf = (subject: string): ReferenceStore => {
    const node = nodes.get(subject) ?? new ReferenceStore(() => now)
    nodes.set(subject, node)
    return node
  }
  const store: Store = {
    kind: 'nodes',
    evaluate: group =>
      evaluateAcross(
        group,
        subject => subject,
        async (node: string, own) => nodeOf(node).evaluate(own),
        error => error,
      ),
    forget: async () => 0,
  }
  const options = { store, warn: () => {} }
  const alone = new RateLimiter({ ...options, policy: BACKEND })
  const own: RatePolicy = { name: 'own', limit: 1, window: 3600, keyStrategy: 'user' }
  const both = new RateLimiter({ ...options, policy: [BACKEND, own] })
  for (let i = 0; i < 25; i++) await alone.consume({ user: 'z' })
  expect((await both.consume({ user: 'a' })).allowed).toBe(true)
  const before = await ahead(alone, 'a')
  for (let i = 0; i < 5; i++) expect((await both.consume({ user: 'a' })).policy).toBe('own')
  expect(await ahead(alone, 'a')).toBe(before)
})
