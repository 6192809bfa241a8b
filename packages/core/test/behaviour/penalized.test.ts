import { describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { type Policy, type Decision, PenaltyManager, presets } from '../../src/index.ts'
import { by, CLIENT, keyed, type Options, START, times, view, world, type World } from '../world.ts'

const NOW = START / 1000
const fixed: Policy = { name: 'p', limit: 10, window: 60, algorithm: 'fixed-window' }
/** A penalty that starts with one refusal and lasts ten minutes. */
const strict = { threshold: 1, multiplier: 0.5, duration: 600, decayRate: 1 }

describe('a limiter with a penalty', () => {
  /** A world in which one address has just been penalised. */
  async function punished(
    policy: Policy | Policy[] = fixed,
    options: Options = {},
  ): Promise<World & { asked: (cost?: number) => Promise<Decision> }> {
    const here = world()
    const limiter = here.limiter(policy, { penalty: strict, ...options })
    const first = [policy].flat()[0] as Policy
    await limiter.check(view(), { cost: { [first.name]: first.burst ?? first.limit } })
    expect((await limiter.check(view())).allowed).toBe(false)
    return { ...here, asked: cost => limiter.check(view(), cost === undefined ? {} : { cost }) }
  }

  it('a penalty reduces the limit of the next decision, and the decision shows it', async () => {
    const { clock, asked } = await punished()
    clock.advance(60)
    expect(await asked(6)).toMatchObject({ allowed: false, reason: 'penalized', limit: 5, remaining: 5 })
    expect(await asked(5)).toMatchObject({ allowed: true, reason: 'ok', limit: 5, remaining: 0 })
    expect(await asked()).toMatchObject({ allowed: false, reason: 'penalized', limit: 5, retryAfter: 60 })
  })

  it('a refusal gives the wait until the penalty ends when the cost fits only then', async () => {
    const { clock, asked } = await punished()
    clock.advance(60)
    const refused = await asked(6)
    expect(refused.retryAfter).toBe(540)
    clock.advance(539)
    expect((await asked(6)).allowed).toBe(false)
    clock.advance(1)
    expect(await asked(6)).toMatchObject({ allowed: true, limit: 10, remaining: 4 })
  })

  it('a penalty scales a bucket’s burst as well', async () => {
    const { clock, asked } = await punished({ name: 'p', limit: 60, window: 60, burst: 90 })
    clock.advance(300)
    expect(await asked(46)).toMatchObject({ allowed: false, reason: 'penalized', limit: 30, remaining: 45 })
    expect(await asked(45)).toMatchObject({ allowed: true, remaining: 0 })
    // 30 per minute.
    expect((await asked()).retryAfter).toBe(2)
  })

  it('a penalty never reduces a limit below the policy’s cost', async () => {
    const { clock, asked } = await punished(
      { ...fixed, cost: 8 },
      { penalty: { ...strict, multiplier: 0.1 } },
    )
    clock.advance(60)
    expect(await asked()).toMatchObject({ allowed: true, limit: 8, remaining: 0 })
  })

  it('a limiter counts at most one violation per cool-down', async () => {
    const { clock, limiter, store } = world()
    const penalty = { threshold: 3, duration: 600, decayRate: 0, cooldown: 60 }
    const one = limiter({ ...fixed, window: 3600 }, { penalty })
    const score = async (): Promise<number[]> => {
      const found = await new PenaltyManager({ store, config: penalty }).getPenalty({ ip: CLIENT })
      return [found.abuseScore, found.violations]
    }
    await one.check(view(), { cost: 10 })
    await times(20, one)
    expect(await score()).toEqual([1, 1])
    clock.advance('59999ms')
    await times(5, one)
    expect(await score()).toEqual([1, 1])
    clock.advance('1ms')
    await times(5, one)
    expect(await score()).toEqual([2, 2])
    expect((await one.peek(view())).limit).toBe(10)
    clock.advance(60)
    expect(await one.check(view())).toMatchObject({ limit: 5 })
  })

  it.each<[string, Policy, number, string[]]>([
    ['a spent limit', fixed, 10, ['ok', 'limited', 'limited']],
    ['a cool-down', { ...fixed, blockDuration: '1h' }, 10, ['ok', 'limited', 'blocked']],
    [
      'a spent quota',
      { name: 'q', limit: 2, period: 'daily', keyStrategy: 'ip' },
      2,
      ['ok', 'quota-exceeded'],
    ],
    ['a cost above the limit', fixed, 11, ['cost-exceeds-limit']],
    ['a missing key', { ...fixed, keyStrategy: 'user', onMissingKey: 'deny' }, 1, ['missing-key']],
  ])('each refusal by %s scores a violation', async (_, policy, cost, reasons) => {
    const { limiter, store } = world()
    const penalty = { threshold: 100, duration: 600, decayRate: 0, cooldown: 0 }
    const one = limiter(policy, { penalty })
    for (const reason of reasons) expect((await one.check(view(), { cost })).reason).toBe(reason)
    const { violations, abuseScore } = await new PenaltyManager({ store, config: penalty }).getPenalty({
      ip: CLIENT,
    })
    const refused = reasons.filter(reason => reason !== 'ok').length
    expect([violations, abuseScore]).toEqual([refused, refused])
  })

  it('an exempt request scores no violation', async () => {
    const { limiter, store } = world()
    const one = limiter({ ...fixed, limit: 1 }, { penalty: strict })
    const health = await times(3, one, view({ path: '/health' }))
    expect(health.map(({ reason }) => reason)).toEqual(['exempt', 'exempt', 'exempt'])
    const penalties = new PenaltyManager({ store, config: strict })
    expect((await penalties.getPenalty({ ip: CLIENT })).violations).toBe(0)
  })

  it('a limiter only applies penalties when recordOn is "never"', async () => {
    const { limiter, store } = world()
    const one = limiter(fixed, { penalty: { ...strict, recordOn: 'never' } })
    await times(15, one)
    const penalties = new PenaltyManager({ store, config: strict })
    expect((await penalties.getPenalty({ ip: CLIENT })).violations).toBe(0)
    await penalties.applyPenalty({ ip: CLIENT })
    expect((await one.peek(view())).limit).toBe(5)
  })

  it('a limiter shares its scores with the manager', async () => {
    const { limiter, store } = world()
    const one = limiter({ ...fixed, keyStrategy: 'user' }, { penalty: presets.PENALTY_STRICT })
    const penalties = new PenaltyManager({ store, config: presets.PENALTY_STRICT })
    expect((await one.check(by('user_123'))).limit).toBe(10)
    await penalties.recordViolation('user_123', { severity: 5 })
    expect((await one.check(by('user_123'))).limit).toBe(2)
    expect((await one.check(by('user_456'))).limit).toBe(10)
    await penalties.clearPenalty('user_123')
    expect((await one.check(by('user_123'))).limit).toBe(10)
  })

  it('a penalty follows the principal of the request and the policies that are keyed on it', async () => {
    const policies: Policy[] = [
      { ...fixed, name: 'user', keyStrategy: 'user' },
      { ...fixed, name: 'composite', keyStrategy: 'composite' },
      { ...fixed, name: 'ip' },
      { ...fixed, name: 'shared', keyStrategy: 'shared' },
    ]
    const { limiter, store } = world()
    const one = limiter(policies, { penalty: strict })
    await new PenaltyManager({ store, config: strict }).applyPenalty('7')
    const limits = async (request = by('7')): Promise<number[]> =>
      (await one.peek(request)).verdicts.map(({ limit }) => limit)
    expect(await limits()).toEqual([5, 5, 10, 10])
    expect(await limits(by('8'))).toEqual([10, 10, 10, 10])
    await new PenaltyManager({ store, config: strict }).applyPenalty({ ip: CLIENT })
    expect(await limits(view())).toEqual([5, 5, 5, 10])
    // A user is not penalized for other clients of the address.
    expect(await limits(by('8'))).toEqual([10, 10, 10, 10])
  })

  it('an invented API key escapes no penalty when no policy counts by key', async () => {
    const { asked, limiter } = await punished()
    expect(await asked()).toMatchObject({ limit: 5 })
    const one = limiter(fixed, { penalty: strict })
    expect((await one.peek(keyed('invented-1'))).limit).toBe(5)
    expect((await one.check(keyed('invented-2'))).limit).toBe(5)
    // A verified key is a principal, and so is a key that a policy counts by.
    const verified = limiter(fixed, { penalty: strict, apiKey: () => 'real' })
    expect((await verified.peek(keyed('real'))).limit).toBe(10)
    const both = limiter([fixed, { ...fixed, name: 'key', keyStrategy: 'api-key' }], { penalty: strict })
    expect((await both.peek(keyed('invented-3'))).verdicts.map(({ limit }) => limit)).toEqual([5, 10])
    const byKey = limiter({ ...fixed, name: 'key', keyStrategy: 'api-key' }, { penalty: strict })
    await byKey.check(keyed('mine'), { cost: 10 })
    await byKey.check(keyed('mine'))
    expect((await byKey.peek(keyed('mine'))).limit).toBe(5)
  })

  it('a penalty of one user does not reach users whose names begin alike', async () => {
    const { limiter, store } = world()
    const one = limiter({ ...fixed, keyStrategy: 'composite' }, { penalty: strict })
    await new PenaltyManager({ store, config: strict }).applyPenalty('7')
    expect((await one.peek(by('77'))).limit).toBe(10)
    expect((await one.peek(by('7+ip:x'))).limit).toBe(10)
  })

  it('a penalty never applies to quotas, or to requests without an address', async () => {
    const { limiter } = world(Date.now())
    const quota = { name: 'q', limit: 10, period: 'yearly', anchor: aMinuteAgo(), keyStrategy: 'ip' } as const
    const one = limiter([{ ...fixed, limit: 1 }, quota], { penalty: { ...strict, multiplier: 0.1 } })
    await times(3, one)
    expect((await one.peek(view())).verdicts[1]?.limit).toBe(10)
    const nowhere = limiter(fixed, { penalty: strict })
    await times(15, nowhere, view({ ip: undefined }))
    expect((await nowhere.peek(view({ ip: undefined }))).limit).toBe(10)
  })

  it('a peek scores no violation', async () => {
    const { limiter, store } = world()
    const one = limiter(fixed, { penalty: strict })
    await one.check(view(), { cost: 10 })
    for (let i = 0; i < 5; i++) await one.peek(view())
    expect((await new PenaltyManager({ store, config: strict }).getPenalty({ ip: CLIENT })).violations).toBe(
      0,
    )
  })

  it('a penalty ends at its exact second', async () => {
    const { clock, store, asked } = await punished()
    const { penaltyUntil } = await new PenaltyManager({ store, config: strict }).getPenalty({ ip: CLIENT })
    expect(penaltyUntil).toBe(NOW + 600)
    clock.advance('599999ms')
    expect((await asked()).limit).toBe(5)
    clock.advance('1ms')
    expect((await asked()).limit).toBe(10)
  })
})
