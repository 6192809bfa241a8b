import { expect, it } from 'vitest'

import { type Group, plainEvaluation, plainGroup, type Store } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { RateLimiter } from '../../src/index.ts'
import { START, view } from '../world.ts'

it('a store gets plain data, which can be sent to another process', async () => {
  const inner = new ReferenceStore(() => START)
  const groups: Group[] = []
  const store: Store = {
    async evaluate(group) {
      groups.push(structuredClone(group))
      return plainEvaluation(inner.evaluate(plainGroup(group)))
    },
    forget: counters => inner.forget(counters),
  }
  const limiter = new RateLimiter({
    store,
    policy: [
      { name: 'a', limit: 5, window: 60 },
      { name: 'b', limit: 5, window: 60, mode: 'shadow' },
    ],
    penalty: {},
    warn: () => {},
  })
  const decision = await limiter.check(view(), { idempotencyKey: 'once' })
  expect(decision).toMatchObject({ allowed: true, degraded: false })
  await limiter.peek(view())
  await limiter.close()
  expect(groups.length).toBeGreaterThan(1)
  for (const group of groups) {
    expect(Object.keys(group)).toEqual(['demands', 'penalty', 'idempotency'])
    // JSON, too, loses nothing.
    expect(group).toEqual(JSON.parse(JSON.stringify(group)))
  }
})
