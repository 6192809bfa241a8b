import { describe, expect, it } from 'vitest'

import type { Decision, Policy } from '../../src/index.ts'
import { admitted, by, times, view, world } from '../world.ts'

const fixed: Policy = { name: 'p', limit: 10, window: 60, algorithm: 'fixed-window' }

describe('a shadow policy', () => {
  const shadow: Policy = { ...fixed, name: 'shadow', limit: 2, mode: 'shadow', blockDuration: 600 }

  it('a shadow policy reports its refusal, and does not refuse', async () => {
    const limiter = world().limiter([fixed, shadow])
    const last = (await times(4, limiter))[3] as Decision
    expect(last).toMatchObject({ allowed: true, reason: 'ok', policy: 'p', remaining: 6, retryAfter: 0 })
    expect(last.verdicts[1]).toMatchObject({ policy: 'shadow', allowed: false, mode: 'shadow', remaining: 0 })
    expect(last.verdicts[1]?.retryAfter).toBeGreaterThan(0)
  })

  it('a shadow policy never binds, however little is left of it', async () => {
    const limiter = world().limiter([{ ...shadow, limit: 5 }, fixed])
    for (const decision of await times(12, limiter)) expect(decision.policy).toBe('p')
  })

  it('a shadow policy alone admits every request', async () => {
    const limiter = world().limiter(shadow)
    const decisions = await times(4, limiter)
    expect(decisions.map(({ allowed, reason }) => [allowed, reason])).toEqual(Array(4).fill([true, 'ok']))
    expect((await limiter.peek(view())).allowed).toBe(true)
  })

  it('a shadow policy is charged only if the request is admitted and the policy would pass it', async () => {
    const { limiter } = world()
    const both = limiter([
      { ...fixed, limit: 1 },
      { ...fixed, name: 's', mode: 'shadow' },
    ])
    await times(5, both)
    expect((await both.peek(view())).verdicts[1]?.remaining).toBe(9)
    const other = limiter([fixed, { ...shadow, name: 't', limit: 5, blockDuration: undefined } as Policy], {})
    await other.check(view({ ip: '198.51.100.9' }), { cost: { t: 9 } })
    expect((await other.peek(view({ ip: '198.51.100.9' }))).verdicts[1]?.remaining).toBe(5)
  })

  it('a shadow policy shares its state with the same policy that enforces', async () => {
    const { limiter } = world()
    const enforcing: Policy = { ...fixed, name: 'shadow', limit: 2 }
    await limiter({ ...enforcing, mode: 'shadow' }).check(view())
    expect(await admitted(3, limiter(enforcing))).toBe(1)
  })

  it('a shadow policy scores no violation', async () => {
    const limiter = world().limiter([fixed, { ...shadow, blockDuration: undefined } as Policy], {
      penalty: { threshold: 1, multiplier: 0.5 },
    })
    expect((await times(5, limiter)).map(({ limit }) => limit)).toEqual([10, 10, 10, 10, 10])
  })

  it('a shadow policy for a share treats a key the same each time, and covers about that share of keys', async () => {
    const limiter = world().limiter({ ...fixed, limit: 1, keyStrategy: 'user', mode: { shadow: 0.3 } })
    let shadowed = 0
    for (let user = 0; user < 400; user++) {
      const modes = (await times(3, limiter, by(user))).map(({ verdicts }) => verdicts[0]?.mode)
      expect(new Set(modes).size).toBe(1)
      if (modes[0] === 'shadow') shadowed++
    }
    expect(shadowed).toBeGreaterThan(80)
    expect(shadowed).toBeLessThan(160)
  })

  it.each([
    [0, 'enforce'],
    [1, 'shadow'],
  ] as const)('a shadow share of %d is %s for all', async (share, mode) => {
    const limiter = world().limiter({ ...fixed, keyStrategy: 'user', mode: { shadow: share } })
    for (let user = 0; user < 50; user++) expect((await limiter.check(by(user))).verdicts[0]?.mode).toBe(mode)
  })
})
