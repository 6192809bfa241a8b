import { describe, expect, it } from 'vitest'

import { isLimited } from '../../src/index.ts'
import { world } from '../world.ts'

describe('isLimited', () => {
  it('isLimited knows the refusal that run() throws, whichever copy of the package threw it', async () => {
    const limiter = world().limiter({ name: 'p', limit: 1, window: '1m' })
    await limiter.consume('a')
    const error: unknown = await limiter
      .run('a', () => 1, { maxWait: '1ms' })
      .catch((thrown: unknown) => thrown)
    expect(isLimited(error)).toBe(true)
    expect(isLimited(error) && error.decision.reason).toBe('limited')
    // An error of another copy has another class.
    expect(isLimited({ code: 'HALT_E_LIMITED', decision: { allowed: false } })).toBe(true)
  })

  it('isLimited knows other values from a refusal', () => {
    const others = [
      undefined,
      null,
      'HALT_E_LIMITED',
      new Error('x'),
      { code: 'HALT_E_LIMITED' },
      { code: 1 },
    ]
    for (const value of others) expect(isLimited(value)).toBe(false)
  })
})
