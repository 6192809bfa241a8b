import { describe, expect, it, vi } from 'vitest'

import { PenaltyManager, type Policy } from '../../src/index.ts'
import { admitted, by, CLIENT, times, view, world } from '../world.ts'

type Extractor = NonNullable<Policy['keyExtractor']>
const extracting = (keyExtractor: unknown, more: Partial<Policy> = {}): Policy =>
  ({ name: 'p', limit: 2, window: 60, keyExtractor: keyExtractor as Extractor, ...more }) as Policy
const named = (more: Partial<Policy> = {}): Policy =>
  ({ name: 'p', limit: 2, window: 60, keyStrategy: 'user', ...more }) as Policy
const FALLBACK = `ip:${CLIENT}`

describe('a request without a key', () => {
  it('a request without a key is counted by address, on another counter than a key with the same text', async () => {
    const limiter = world().limiter(named())
    expect(await admitted(3, limiter)).toBe(2)
    expect(await admitted(3, limiter, by(CLIENT))).toBe(2)
    expect(await admitted(3, limiter, by(FALLBACK))).toBe(2)
  })

  it('"deny" refuses the enforced share of addresses without a key, and counts the others', async () => {
    const outcomes = async (mode: Policy['mode']): Promise<number> => {
      const limiter = world().limiter(named({ onMissingKey: 'deny', mode }))
      let passed = 0
      for (let i = 0; i < 200; i++) passed += await admitted(1, limiter, view({ ip: `198.51.100.${i}` }))
      return passed
    }
    expect(await outcomes({ shadow: 0.05 })).toBeLessThan(30)
    expect(await outcomes({ shadow: 0.95 })).toBeGreaterThan(170)
    expect(await outcomes('shadow')).toBe(200)
    expect(await outcomes('enforce')).toBe(0)
  })

  it('"deny" refuses a request without a key, and charges nothing', async () => {
    const plain: Policy = { name: 'plain', limit: 5, window: 60 }
    const limiter = world().limiter([plain, named({ onMissingKey: 'deny' })])
    const refused = await limiter.check(view())
    expect(refused).toMatchObject({
      allowed: false,
      reason: 'missing-key',
      policy: 'p',
      retryAfter: 0,
      remaining: 0,
    })
    expect((await limiter.check(by('42'))).verdicts.map(({ remaining }) => remaining)).toEqual([4, 1])
  })

  it('a request without a key scores a violation of its address under "deny", once per cool-down', async () => {
    const { limiter: make, clock, store } = world()
    const onViolation = vi.fn<() => void>()
    const penalty = { threshold: 2, multiplier: 0.5, cooldown: 60 }
    const plain: Policy = { name: 'plain', limit: 10, window: 60, algorithm: 'fixed-window' }
    const limiter = make([plain, named({ onMissingKey: 'deny' })], { penalty, telemetry: { onViolation } })
    const penalties = new PenaltyManager({ store, config: penalty })
    const score = async (): Promise<number> => (await penalties.getPenalty({ ip: CLIENT })).abuseScore
    await times(5, limiter)
    expect(await score()).toBe(1)
    clock.advance(60)
    await limiter.peek(view())
    expect(await score()).toBe(1)
    await times(5, limiter)
    expect(await score()).toBe(2)
    expect(onViolation).toHaveBeenCalledTimes(2)
    expect((await make(plain, { penalty }).check(view())).limit).toBe(5)
  })

  it('"deny" scores nothing with recordOn "never", and refuses during an outage', async () => {
    const here = world()
    const deny = named({ onMissingKey: 'deny' })
    const byHand = here.limiter(deny, { penalty: { recordOn: 'never' } })
    expect((await byHand.check(view())).reason).toBe('missing-key')
    const penalties = new PenaltyManager({ store: here.store })
    expect((await penalties.getPenalty({ ip: CLIENT })).abuseScore).toBe(0)
    const away = { evaluate: () => Promise.reject(new Error('away')), forget: () => 0 }
    const limiter = here.limiter(deny, { penalty: {}, store: away })
    expect(await limiter.check(view())).toMatchObject({ reason: 'missing-key', degraded: false })
  })

  it('"allow" skips the policy for a request without a key, and the other policies count it', async () => {
    const plain: Policy = { name: 'plain', limit: 5, window: 60 }
    const limiter = world().limiter([plain, named({ onMissingKey: 'allow' })])
    const decisions = await times(6, limiter)
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, true, true, false])
    expect(decisions[0]?.verdicts.map(({ policy }) => policy)).toEqual(['plain'])
  })

  it('a request without a key is exempt when its only policy has "allow"', async () => {
    const limiter = world().limiter(named({ onMissingKey: 'allow' }))
    expect(await limiter.check(view())).toMatchObject({ allowed: true, reason: 'exempt', verdicts: [] })
  })

  it.each(['deny', 'allow', 'ip'] as const)(
    'onMissingKey "%s" handles a request whose asynchronous key is missing',
    async onMissingKey => {
      const plain: Policy = { name: 'plain', limit: 5, window: 60 }
      const late = extracting(async () => undefined, { name: 'late', onMissingKey })
      const decision = await world().limiter([late, plain]).check(view())
      const policies = { deny: ['late'], allow: ['plain'], ip: ['late', 'plain'] }[onMissingKey]
      expect(decision.verdicts.map(({ policy }) => policy)).toEqual(policies)
      expect(decision.allowed).toBe(onMissingKey !== 'deny')
    },
  )

  it('a shadow policy does not refuse a request without a key', async () => {
    const limiter = world().limiter(named({ mode: 'shadow', onMissingKey: 'deny' }))
    expect((await limiter.check(view())).allowed).toBe(true)
  })

  it('a policy that is off or exempts a request does not ask for its key', async () => {
    const keyExtractor = vi.fn<() => string>(() => 'x')
    const { limiter } = world()
    await limiter(extracting(keyExtractor, { mode: 'off' })).check(view())
    await limiter(extracting(keyExtractor, { exemptions: ['/things'] })).check(view())
    await limiter(extracting(keyExtractor)).check(view({ path: '/health' }))
    expect(keyExtractor).not.toHaveBeenCalled()
  })
})

describe('a policy that never finds a key', () => {
  it('a policy that never finds a key is warned of after 100 requests without one', async () => {
    const { limiter, warnings } = world()
    const users = limiter(named())
    await times(99, users)
    expect(warnings).toEqual([])
    await times(1, users)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_KEY_NEVER_FOUND'])
    expect(warnings[0]?.message).toContain('"p"')
    expect(warnings[0]?.fix).toMatch(/userId/)
  })

  it('a policy that has found a key is not warned of', async () => {
    const { limiter, warnings } = world()
    const users = limiter(named())
    await times(50, users)
    await users.check(by('42'))
    await times(150, users)
    expect(warnings).toEqual([])
  })

  it('a policy that never finds a key is warned of under every onMissingKey, and from a resolver of new objects', async () => {
    const policy = named({ onMissingKey: 'deny' })
    for (const given of [policy, () => policy, () => [policy]]) {
      const { limiter, codes } = world()
      await times(101, limiter(given as Policy))
      expect(codes()).toEqual(['HALT_W_KEY_NEVER_FOUND'])
    }
  })
})

it('a caller without a key is limited under every key strategy', async () => {
  for (const keyStrategy of ['user', 'api-key', 'composite'] as const) {
    expect(await admitted(50, world().limiter({ name: 'p', limit: 1, window: 60, keyStrategy }))).toBe(1)
  }
  const custom: Policy = { name: 'p', limit: 1, window: 60, keyExtractor: () => undefined }
  expect(await admitted(50, world().limiter(custom))).toBe(1)
})
