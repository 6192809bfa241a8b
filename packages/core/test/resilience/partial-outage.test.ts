import { describe, expect, it } from 'vitest'

import { RateLimiter } from '../../src/index.ts'
import type { Group, Store, Evaluation } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'

describe('a store that fails for some keys only', () => {
  it('a store that fails for some keys admits at most the local share of them, whatever it answers for others', async () => {
    const inner = new ReferenceStore(() => Date.now())
    const store: Store = {
      async evaluate(group: Group): Promise<Evaluation> {
        if (group.demands[0]?.subject === 'custom:broken') throw new Error('this part is down')
        return inner.evaluate(group)
      },
      forget: counters => inner.forget(counters),
    }
    const limiter = new RateLimiter({ store, policy: { name: 'p', limit: 5, window: 3600 }, warn: () => {} })
    let admitted = 0
    for (let i = 0; i < 200; i++) {
      if ((await limiter.consume('broken')).allowed) admitted++
      await limiter.consume(`good${i}`)
    }
    expect(admitted).toBe(5)
  })
})
