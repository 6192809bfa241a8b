import { describe, expect, it } from 'vitest'

import { type Cost, type Decision, type Policy, RateLimiter, type Reservation } from '../../src/index.ts'
import { admitted, by, times, view, world } from '../world.ts'

const fixed: Policy = { name: 'p', limit: 10, window: 60, algorithm: 'fixed-window' }

describe('reserve', () => {
  it('reserve charges an estimate, and settles or cancels it', async () => {
    const limiter = world().limiter(fixed)
    const open = (): Promise<Reservation> => limiter.reserve(by('42'), { cost: 4 })
    const [one, other] = [await open(), await open()]
    expect([one.decision.remaining, other.decision.remaining]).toEqual([6, 2])
    await one.settle(1)
    await other.cancel()
    expect((await limiter.peek(view())).remaining).toBe(9)
  })

  it('reserve works for identities as well, and refuses as a check does', async () => {
    const limiter = world().limiter(fixed)
    const { decision, cancel } = await limiter.reserve({ user: '42' }, { cost: 10 })
    expect(decision.key).toBe('user:42')
    const refused = await limiter
      .reserve('42', { cost: 10 })
      .then(() => limiter.reserve({ user: '42' }, { cost: 1 }))
    expect(refused.decision).toMatchObject({ allowed: false, retryAfter: 60 })
    await refused.cancel()
    expect((await limiter.peek({ user: '42' })).remaining).toBe(0)
    await cancel()
    expect((await limiter.peek({ user: '42' })).remaining).toBe(10)
  })
})

describe('release', () => {
  const flight: Policy = { name: 'f', limit: 2, algorithm: 'concurrency', ttl: 30 }

  it('release ends a request in flight, once', async () => {
    const limiter = world().limiter(flight)
    const [first, second, third] = await times(3, limiter)
    expect([first?.allowed, second?.allowed, third?.allowed]).toEqual([true, true, false])
    await Promise.all([1, 2, 3].map(() => limiter.release(first as Decision)))
    expect(await admitted(3, limiter)).toBe(1)
  })

  it('release does nothing for a refused or exempt request', async () => {
    const limiter = world().limiter(flight)
    const [, , refused] = await times(3, limiter)
    await limiter.release(refused as Decision)
    await limiter.release(await limiter.check(view({ path: '/health' })))
    expect((await limiter.peek(view())).allowed).toBe(false)
  })

  it('the ttl releases a request whose call is lost', async () => {
    const { clock, limiter } = world()
    const one = limiter(flight)
    await times(2, one)
    clock.advance(29)
    expect((await one.peek(view())).allowed).toBe(false)
    clock.advance(4)
    expect(await admitted(3, one)).toBe(2)
  })

  it('release does not end the lease of another request', async () => {
    const { clock, limiter } = world()
    const one = limiter(flight)
    const [lost] = await times(2, one)
    clock.advance(33)
    await times(2, one)
    await one.release(lost as Decision)
    expect((await one.peek(view())).allowed).toBe(false)
  })

  it('a settled request is still in flight until it is released', async () => {
    const limiter = world().limiter([flight, fixed])
    const decision = await limiter.check(view(), { cost: { p: 5 } })
    await limiter.settle(decision, 0)
    expect((await limiter.peek(view())).verdicts.map(({ remaining }) => remaining)).toEqual([1, 10])
    await limiter.release(decision)
    expect((await limiter.peek(view())).verdicts.map(({ remaining }) => remaining)).toEqual([2, 10])
  })
})

describe('inFlight with chargeWhen for failures', () => {
  it.each(['token-bucket', 'fixed-window', 'sliding-window'] as const)(
    'a request under inFlight is corrected after its end as well: %s',
    async algorithm => {
      const { clock, limiter } = world()
      const one = limiter({ name: 'p', limit: 1000, window: 3600, algorithm, inFlight: 5 })
      await one.consume('other')
      const decision = await one.check(view(), { cost: 500 })
      clock.advance(700)
      await one.release(decision)
      await one.settle(decision, 100)
      expect((await one.peek(view())).remaining).toBe(900)
    },
  )

  const logins: Policy = { name: 'logins', limit: 3, window: 60, algorithm: 'fixed-window', inFlight: 2 }
  /** Ends a request, which was good (and costs nothing) or failed. */
  const end = async (limiter: RateLimiter, decision: Decision, failed: boolean): Promise<void> => {
    if (!failed) await limiter.settle(decision, 0 satisfies Cost)
    await limiter.release(decision)
  }

  it('inFlight admits any number of good requests, at most inFlight at a time', async () => {
    const limiter = world().limiter(logins)
    for (let i = 0; i < 20; i++) await end(limiter, await limiter.check(view()), false)
    const open = await times(3, limiter)
    expect(open.map(({ allowed }) => allowed)).toEqual([true, true, false])
    expect((await limiter.peek(view())).verdicts[0]).toMatchObject({ allowed: false, policy: 'logins' })
    await end(limiter, open[0] as Decision, false)
    expect(await admitted(2, limiter)).toBe(1)
  })

  it('a limit with inFlight counts failed requests that end one after the other', async () => {
    const limiter = world().limiter(logins)
    for (let i = 0; i < 3; i++) {
      expect((await limiter.peek(view())).remaining).toBe(3 - i)
      await end(limiter, await limiter.check(view()), true)
    }
    expect(await limiter.check(view())).toMatchObject({ allowed: false, remaining: 0, retryAfter: 60 })
  })

  it('a policy admits at most its limit plus inFlight when all requests fail at once', async () => {
    const limiter = world().limiter(logins)
    let passed = 0
    for (let round = 0; round < 10; round++) {
      const allowed = (await times(5, limiter)).filter(decision => decision.allowed)
      passed += allowed.length
      for (const decision of allowed) await end(limiter, decision, true)
    }
    expect(passed).toBeLessThanOrEqual(3 + 2)
    expect(passed).toBeGreaterThanOrEqual(3)
  })
})
