import { describe, expect, it } from 'vitest'

import { RateLimiter } from '../../src/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'

describe('a share of keys in shadow mode', () => {
  it('the share of keys in shadow mode is as large as configured, also for consecutive ids', async () => {
    const policy = { name: 'p', limit: 5, window: 60, keyStrategy: 'user', mode: { shadow: 0.9 } } as const
    const limiter = new RateLimiter({ store: new ReferenceStore(() => Date.now()), policy })
    let enforced = 0
    for (let id = 0; id < 2_000; id++) {
      const { verdicts } = await limiter.peek({ user: String(id) })
      if (verdicts[0]?.mode === 'enforce') enforced++
    }
    expect(enforced).toBeGreaterThan(150)
    expect(enforced).toBeLessThan(250)
  })
})
