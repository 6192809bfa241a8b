// Calls whose budgets are on several nodes of a store.
import { expect, it } from 'vitest'

import { QuotaManager, type Quota, RateLimiter } from '../../src/index.ts'
import { evaluateAcross } from '../../src/databases/across/index.ts'
import type { Evaluation, Group, Store } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { by, world } from '../world.ts'

const own: Quota = { name: 'own', limit: 1000, period: 'daily' }
const team: Quota = { ...own, name: 'team', limit: 300, keyExtractor: () => 'red' }

it('a call keeps what it holds of the budget that refuses a payment', async () => {
  const { clock } = world()
  const stores = new Map(['user', 'custom'].map(name => [name, new ReferenceStore(clock.now)]))
  const send = async (node: string, group: Group): Promise<Evaluation> => stores.get(node)!.evaluate(group)
  const nodeOf = (subject: string): string => subject.split(':', 1)[0]!
  const store: Store = {
    clock: clock.now,
    evaluate: group => evaluateAcross(group, nodeOf, send, error => error),
    forget: () => 0,
  }
  const limiter = new RateLimiter({ store, policy: [own, team], instances: 1 })
  const call = await limiter.reserve(by('42'), { cost: 100, ttl: '2m', chunk: 1 })
  // Others use what is left of the team's budget.
  await limiter.consume({ custom: 'red' }, { cost: 200, policy: team })
  expect(await call.charge(101)).toBe(false)
  expect(await call.charge({ team: 100 })).toBe(true)
  const { used, held } = (await new QuotaManager(store).checkQuota('red', team)).quota
  expect([used, held]).toEqual([300, 0])
  await limiter.close()
})
