import { setImmediate as turn } from 'node:timers/promises'

import { describe, expect, it } from 'vitest'

import { type Decision, type Policy, RateLimiter } from '../../src/index.ts'
import { guard, type Outcome } from '../../src/http/index.ts'
import { FaultyStore } from '../resilience/faulty-store.ts'
import { by, view, world } from '../world.ts'

const policy: Policy = { name: 'p', limit: 10, window: 60, algorithm: 'fixed-window' }
const tight: Policy = { name: 'tight', limit: 3, window: 60, algorithm: 'fixed-window' }

describe('one HTTP request that passes a limiter several times', () => {
  it('a request that passes three mounts of a limiter is charged once', async () => {
    const limiter = world().limiter(policy)
    const requestObject = {}
    const [first, second] = [guard(limiter), guard(limiter)]
    const outcomes = [
      await first.enter(view(), requestObject),
      await second.enter(view(), requestObject),
      await first.enter(view(), requestObject),
    ]
    expect(outcomes.map(({ pass, charged }) => [pass, charged])).toEqual([
      [true, true],
      [true, false],
      [true, false],
    ])
    expect(outcomes[1]?.decision).toBe(outcomes[0]?.decision)
    expect((await limiter.peek(view())).remaining).toBe(9)
  })

  it('a request is refunded only by the mount that charged it', async () => {
    const limiter = world().limiter(policy)
    const requestObject = {}
    const [plain, failures] = [guard(limiter), guard(limiter, { chargeWhen: () => false })]
    const outcomes = [await plain.enter(view(), requestObject), await failures.enter(view(), requestObject)]
    failures.leave(outcomes[1]!, {})
    plain.leave(outcomes[0]!, {})
    await new Promise(resolve => setImmediate(resolve))
    expect((await limiter.peek(view())).remaining).toBe(9)
  })

  it('a request is charged again when it is another one', async () => {
    const limiter = world().limiter(policy)
    for (let i = 0; i < 3; i++) await guard(limiter).enter(view(), {})
    await guard(limiter).enter(view())
    await guard(limiter).enter(view())
    expect((await limiter.peek(view())).remaining).toBe(5)
  })

  it('a request pays the difference when a later mount costs more, and nothing when it costs less', async () => {
    const limiter = world().limiter([policy, { ...policy, name: 'tokens', limit: 100 }])
    const requestObject = {}
    const left = async (): Promise<number[]> =>
      (await limiter.peek(view())).verdicts.map(({ remaining }) => remaining)
    await guard(limiter, { cost: 2 }).enter(view(), requestObject)
    expect(await left()).toEqual([8, 98])
    await guard(limiter, { cost: 5 }).enter(view(), requestObject)
    expect(await left()).toEqual([5, 95])
    await guard(limiter, { cost: 1 }).enter(view(), requestObject)
    expect(await left()).toEqual([5, 95])
    await guard(limiter, { cost: { tokens: 50 } }).enter(view(), requestObject)
    expect(await left()).toEqual([5, 50])
  })

  it('a later mount refuses a request when the difference does not fit', async () => {
    const limiter = world().limiter(policy)
    const requestObject = {}
    await guard(limiter, { cost: 6 }).enter(view(), requestObject)
    await guard(limiter, { cost: 3 }).enter(view(), {})
    const outcome = await guard(limiter, { cost: 9 }).enter(view(), requestObject)
    expect(outcome).toMatchObject({ pass: false, status: 429 })
    expect((await limiter.peek(view())).remaining).toBe(1)
  })

  it('a request is charged by each limiter, and by each policy that a mount gives', async () => {
    const { limiter } = world()
    const [one, other] = [limiter(policy), limiter(tight)]
    const requestObject = {}
    await guard(one).enter(view(), requestObject)
    await guard(other).enter(view(), requestObject)
    await guard(one, { policy: tight }).enter(view(), requestObject)
    expect((await one.peek(view())).remaining).toBe(9)
    expect((await other.peek(view())).remaining).toBe(1)
  })

  it('a request shows only the tightest of its limiters', async () => {
    const { limiter } = world()
    const requestObject = {}
    const wide = await guard(limiter(policy)).enter(view(), requestObject)
    const narrow = await guard(limiter(tight)).enter(view(), requestObject)
    const again = await guard(limiter({ ...policy, name: 'third', limit: 1000 })).enter(view(), requestObject)
    expect(
      [wide, narrow, again].map(({ binding, headers }) => [binding, headers['RateLimit-Limit']]),
    ).toEqual([
      [true, '10'],
      [true, '3'],
      [false, undefined],
    ])
  })

  it('a request shows a counted decision rather than an exempt one', async () => {
    const { limiter } = world()
    const requestObject = {}
    await guard(limiter({ ...policy, exemptions: ['/things'] })).enter(view(), requestObject)
    const counted = await guard(limiter(tight)).enter(view(), requestObject)
    expect(counted.headers['RateLimit-Limit']).toBe('3')
    const exempt = await guard(limiter({ ...policy, name: 'e', exemptions: ['/things'] })).enter(
      view(),
      requestObject,
    )
    expect([exempt.binding, exempt.headers]).toEqual([false, {}])
  })

  it('the additional policies of a mount charge a request, and the limiter’s own do not charge it twice', async () => {
    const limiter = world().limiter(policy)
    const requestObject = {}
    await guard(limiter).enter(view(), requestObject)
    const outcome = await guard(limiter, {}, tight).enter(view(), requestObject)
    expect(outcome.decision?.verdicts.map(({ policy: name, remaining }) => [name, remaining])).toEqual([
      ['p', 9],
      ['tight', 2],
    ])
    expect((await limiter.peek(view())).remaining).toBe(9)
  })

  it('a request shows an enforced decision rather than one of shadow policies, in any order', async () => {
    const { limiter } = world()
    const reporting: Policy = { ...tight, name: 'reporting', mode: 'shadow' }
    for (const order of [
      [policy, reporting],
      [reporting, policy],
    ]) {
      const requestObject = {}
      const outcomes = []
      for (const each of order) outcomes.push(await guard(limiter(each)).enter(view(), requestObject))
      const shown = outcomes.filter(({ binding }) => binding).at(-1)
      expect(shown?.decision?.policy).toBe('p')
      expect(outcomes.flatMap(({ headers }) => headers['RateLimit-Limit'] ?? [])).toEqual(['10'])
    }
  })

  it('a tighter guard of another dialect tells which headers of a looser one are stale', async () => {
    const { limiter } = world()
    const requestObject = {}
    await guard(limiter(policy)).enter(view(), requestObject)
    const narrow = await guard(limiter(tight), { headers: 'draft-8' }).enter(view(), requestObject)
    expect(narrow.stale).toEqual(['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'])
    const third = await guard(limiter({ ...tight, name: 'third', limit: 2 })).enter(view(), requestObject)
    expect(third.stale).toEqual(['RateLimit-Policy', 'RateLimit'])
  })

  it('a request is charged later by policies that could not count it the first time', async () => {
    const user: Policy = { ...tight, name: 'user', keyStrategy: 'user', onMissingKey: 'allow' }
    for (const own of [[policy, user], [user]]) {
      const limiter = world().limiter(own)
      const gate = guard(limiter)
      const outcomes = []
      for (let i = 0; i < 4; i++) {
        const requestObject = {}
        await gate.enter(view(), requestObject)
        outcomes.push(await gate.enter(by('42'), requestObject))
      }
      expect(outcomes.map(({ pass }) => pass)).toEqual([true, true, true, false])
      const left = (await limiter.peek(by('42'))).verdicts.map(({ policy: name, remaining }) => [
        name,
        remaining,
      ])
      expect(left).toEqual(
        own.length === 1
          ? [['user', 0]]
          : [
              ['p', 6],
              ['user', 0],
            ],
      )
    }
  })

  it('a request gets the wait for the full cost of a retry when a later mount costs more', async () => {
    const { limiter: build, clock } = world()
    const limiter = build({ name: 'p', limit: 10, window: 10 })
    const gates = [guard(limiter), guard(limiter, { cost: 8 })]
    const pass = async (): Promise<(Outcome | undefined)[]> => {
      const requestObject = {}
      const outcomes = []
      for (const gate of gates) outcomes.push(await gate.enter(view(), requestObject))
      return outcomes
    }
    await limiter.check(view(), { cost: 5 })
    const [, refused] = await pass()
    expect(refused?.decision).toMatchObject({ allowed: false, retryAfter: 4 })
    clock.advance('3999ms')
    expect((await limiter.peek(view())).remaining).toBe(7)
    clock.advance('1ms')
    expect((await pass()).map(outcome => outcome?.pass)).toEqual([true, true])
  })

  it('a cost that can never pass is refused forever, whatever an earlier mount charged of it', async () => {
    const limiter = world().limiter(policy)
    const requestObject = {}
    await guard(limiter, { cost: 5 }).enter(view(), requestObject)
    const outcome = await guard(limiter, { cost: 11 }).enter(view(), requestObject)
    expect(outcome.decision).toMatchObject({
      allowed: false,
      reason: 'cost-exceeds-limit',
      retryAfter: Number.POSITIVE_INFINITY,
    })
  })

  it('a settlement corrects a request to its total use, whichever of its mounts settles', async () => {
    for (const [used, left] of [
      [7, 3],
      [2, 8],
      [0, 9],
    ] as const) {
      const limiter = world().limiter(policy)
      const requestObject = {}
      const first = await guard(limiter).enter(view(), requestObject)
      const second = await guard(limiter, { cost: 6 }).enter(view(), requestObject)
      await limiter.settle(second.decision as Decision, used)
      expect((await limiter.peek(view())).remaining).toBe(left)
      // Only the first mount refunds its own charge.
      await limiter.settle(first.decision as Decision, 0)
      expect((await limiter.peek(view())).remaining).toBe(Math.min(10, left + 1))
    }
  })

  it('each limit of one counter judges a request, which is charged once', async () => {
    for (const policyOf of [
      (): Policy => ({ ...policy, limit: 4 }),
      (): Policy => ({ ...policy, name: 'other', counter: 'p', limit: 4 }),
    ]) {
      const limiter = world().limiter(policy)
      const narrow = guard(limiter, { policy: policyOf() })
      const outcomes = []
      for (let i = 0; i < 5; i++) {
        const requestObject = {}
        await guard(limiter).enter(view(), requestObject)
        outcomes.push(await narrow.enter(view(), requestObject))
      }
      expect(outcomes.map(({ pass }) => pass)).toEqual([true, true, true, true, false])
      expect((await limiter.peek(view())).remaining).toBe(5)
    }
  })

  it('a request is charged on the counter of its route too when an earlier mount knew no route', async () => {
    const limiter = world().limiter({ ...tight, scope: 'route' })
    const gate = guard(limiter)
    const outcomes = []
    for (let i = 0; i < 4; i++) {
      const requestObject = {}
      await gate.enter(view({ path: `/users/${i}` }), requestObject)
      outcomes.push(await gate.enter(view({ path: `/users/${i}`, route: '/users/:id' }), requestObject))
    }
    expect(outcomes.map(({ pass }) => pass)).toEqual([true, true, true, false])
  })

  it('a request is one request in flight, whatever number of mounts it passes', async () => {
    const { limiter: build } = world()
    const held: Policy = { ...policy, inFlight: 1 }
    const limiter = build(held)
    const gates = [guard(limiter), guard(limiter, { cost: 5 }), guard(limiter)]
    for (let i = 0; i < 2; i++) {
      const requestObject = {}
      const outcomes: Outcome[] = []
      for (const gate of gates) outcomes.push(await gate.enter(view(), requestObject))
      expect(outcomes.map(({ pass }) => pass)).toEqual([true, true, true])
      for (const { decision } of outcomes) await limiter.release(decision as Decision)
      expect((await limiter.peek(view())).remaining).toBe(10 - 5 * (i + 1))
    }
  })

  it('a request is judged at its full held cost, though nothing of it is charged yet', async () => {
    const limiter = world().limiter({ ...policy, inFlight: 10, limit: 5 })
    const requestObject = {}
    await guard(limiter, { cost: 4 }).enter(view(), requestObject)
    const outcome = await guard(limiter, { cost: 8 }).enter(view(), requestObject)
    expect(outcome.decision).toMatchObject({ allowed: false, reason: 'cost-exceeds-limit' })
  })

  it('a request does not wait for its own end', async () => {
    const flight: Policy = { name: 'f', algorithm: 'concurrency', limit: 1, ttl: 300 }
    const limiter = world().limiter([flight, { name: 'b', limit: 1, window: 2, algorithm: 'fixed-window' }])
    const requestObject = {}
    await guard(limiter, { policy: flight }).enter(view(), requestObject)
    await guard(limiter, { policy: limiter.options.policy as Policy[] }).enter(view(), requestObject)
    const refused = await guard(limiter, { cost: { b: 2 } }).enter(view(), requestObject)
    expect(refused.decision?.reason).toBe('cost-exceeds-limit')
    const other = world().limiter([flight, { name: 'b', limit: 2, window: 2, algorithm: 'fixed-window' }])
    const again = {}
    await guard(other, { policy: flight }).enter(view(), again)
    await other.consume(
      { ip: '203.0.113.7' },
      { policy: { name: 'b', limit: 2, window: 2, algorithm: 'fixed-window' }, cost: 2 },
    )
    expect((await guard(other).enter(view(), again)).decision).toMatchObject({
      allowed: false,
      retryAfter: 2,
    })
  })

  it('a request pays again for units that were refunded between two mounts', async () => {
    const limiter = world().limiter(policy)
    const requestObject = {}
    const first = await guard(limiter, { cost: 2 }).enter(view(), requestObject)
    await limiter.settle(first.decision as Decision, 0)
    await guard(limiter, { cost: 5 }).enter(view(), requestObject)
    expect((await limiter.peek(view())).remaining).toBe(5)
  })

  it('a request is charged to the user that logged in between two mounts', async () => {
    const limiter = world().limiter({ ...tight, keyStrategy: 'user' })
    const gate = guard(limiter)
    const outcomes = []
    for (let i = 0; i < 4; i++) {
      const requestObject = {}
      await gate.enter(view({ ip: `203.0.113.${i + 1}` }), requestObject)
      outcomes.push(await gate.enter(by('42', { ip: `203.0.113.${i + 1}` }), requestObject))
    }
    expect(outcomes.map(({ pass }) => pass)).toEqual([true, true, true, false])
  })

  it('a request is charged once by the policies that a resolver returns now', async () => {
    const user: Policy = { ...tight, name: 'user', keyStrategy: 'user', onMissingKey: 'allow' }
    const { limiter: build, codes } = world()
    const limiter = build(async () => [{ ...policy }, { ...user }])
    const gate = guard(limiter)
    const outcomes = []
    for (let i = 0; i < 4; i++) {
      const requestObject = {}
      await gate.enter(view(), requestObject)
      outcomes.push(await gate.enter(by('42'), requestObject))
      await gate.enter(by('42'), requestObject)
    }
    expect(outcomes.map(({ pass }) => pass)).toEqual([true, true, true, false])
    const left = await limiter.peek(by('42'))
    expect(left.verdicts.map(({ remaining }) => remaining)).toEqual([6, 0])
    expect(codes()).toContain('HALT_W_LIMITER_TWICE')
  })

  it('a request pays the rest of the limit when the cost function of a later mount fails', async () => {
    const limiter = world().limiter(policy)
    const requestObject = {}
    await guard(limiter).enter(view(), requestObject)
    const broken = guard(limiter, {
      cost: () => {
        throw new Error('no body')
      },
    })
    expect((await broken.enter(view(), requestObject)).pass).toBe(true)
    expect((await limiter.peek(view())).remaining).toBe(0)
  })

  it('a request pays the highest cost of any mount, policy by policy', async () => {
    const limiter = world().limiter([
      { ...policy, name: 'a' },
      { ...policy, name: 'b', cost: 5 },
    ])
    const requestObject = {}
    for (const cost of [undefined, 3, { a: 4 }, 2])
      await guard(limiter, { cost }).enter(view(), requestObject)
    expect((await limiter.peek(view())).verdicts.map(({ remaining }) => remaining)).toEqual([6, 5])
  })

  it('a limiter whose policies come from a resolver charges a request once', async () => {
    const limiter = world().limiter(() => policy)
    const requestObject = {}
    for (let i = 0; i < 3; i++) await guard(limiter).enter(view(), requestObject)
    expect((await limiter.peek(view())).remaining).toBe(9)
    await guard(limiter, { cost: 4 }).enter(view(), requestObject)
    expect((await limiter.peek(view())).remaining).toBe(6)
  })
})

describe('one HTTP request for which the store failed', () => {
  const limiters = (store: FaultyStore): RateLimiter[] =>
    [policy, tight].map(own => new RateLimiter({ store, policy: own, storeTimeout: '50ms', warn: () => {} }))

  it('a request waits for a failed store once, however many limiters it passes', async () => {
    const store = new FaultyStore()
    store.fault = 'hang'
    const requestObject = {}
    const waited: boolean[] = []
    for (const limiter of limiters(store)) {
      const entered = Promise.resolve(guard(limiter).enter(view(), requestObject))
      waited.push(await Promise.race([entered.then(() => false), turn().then(() => true)]))
      const { pass, decision } = await entered
      expect([pass, decision?.degraded]).toEqual([true, 'local'])
    }
    expect([store.calls, waited]).toEqual([1, [true, false]])
  })

  it('a request still calls another store, and the next request calls the failed one again', async () => {
    const store = new FaultyStore()
    const [first, second] = limiters(store) as [RateLimiter, RateLimiter]
    const requestObject = {}
    store.fault = 'reject'
    await guard(first).enter(view(), requestObject)
    const other = world().limiter(tight)
    expect((await guard(other).enter(view(), requestObject)).decision?.degraded).toBe(false)
    store.fault = 'none'
    expect((await guard(second).enter(view(), requestObject)).decision?.degraded).toBe('local')
    expect((await guard(second).enter(view(), {})).decision?.degraded).toBe(false)
  })
})
