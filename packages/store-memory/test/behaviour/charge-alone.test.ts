import { type Decision, RateLimiter, type RateLimiterOptions } from '@halt/core'
import { Mode } from '@halt/core/store'
import { ManualClock, ReferenceStore } from '@halt/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { InMemoryStore } from '../../src/index.ts'
import { rule } from '../rule.ts'

const policies: readonly RateLimiterOptions['policy'][] = [
  { name: 'small', limit: 3, window: 2 },
  { name: 'burst', limit: 60, window: 60, burst: 4 },
  { name: 'wide', limit: 7, window: '30d', burst: 5 },
  { name: 'cooling', limit: 2, window: 1, blockDuration: 3 },
  { name: 'shared', limit: 5, window: 1, keyStrategy: 'shared' },
  { name: 'by-route', limit: 3, window: 2, scope: 'route' },
  { name: 'fixed', limit: 4, window: 2, algorithm: 'fixed-window' },
  { name: 'fixed-by-route', limit: 3, window: 2, algorithm: 'fixed-window', scope: 'route' },
  { name: 'fixed-long', limit: 5, window: '30d', algorithm: 'fixed-window' },
  { name: 'fixed-cooling', limit: 3, window: 2, algorithm: 'fixed-window', blockDuration: 3 },
  { name: 'sliding', limit: 4, window: 2, algorithm: 'sliding-window' },
  {
    name: 'sliding-cooling',
    limit: 3,
    window: 3,
    algorithm: 'sliding-window',
    precision: 3,
    blockDuration: 1,
  },
  [
    { name: 'second', limit: 4, window: 1 },
    { name: 'month', limit: 9, window: '30d' },
    { name: 'everybody', limit: 20, window: 10, keyStrategy: 'shared' },
  ],
  [
    { name: 'beside', limit: 5, window: 2, burst: 3 },
    { name: 'fixed-beside', limit: 9, window: 4, algorithm: 'fixed-window' },
    { name: 'quota-beside', limit: 30, period: 'monthly' },
  ],
  [
    { name: 'cooling-beside', limit: 4, window: 3, algorithm: 'fixed-window', blockDuration: 2 },
    { name: 'sliding-beside', limit: 6, window: 3, algorithm: 'sliding-window' },
    { name: 'day-beside', limit: 12, period: 'daily' },
  ],
  { name: 'quota-alone', limit: 8, period: 'daily' },
]

const step = fc.oneof(
  fc.record({
    do: fc.constant('check' as const),
    ip: fc.nat(2),
    cost: fc.option(fc.integer({ min: 0, max: 6 })),
  }),
  fc.record({
    do: fc.constant('consume' as const),
    ip: fc.nat(2),
    cost: fc.option(fc.integer({ min: 0, max: 6 })),
  }),
  fc.record({ do: fc.constant('settle' as const), of: fc.nat(50), actual: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 2500 }) }),
  fc.record({ do: fc.constant('change' as const), to: fc.nat(policies.length - 1) }),
)

/**
 * A world of one limiter per policy: on the store in memory, or on one that knows the loop of all stores alone. The limiters of the
 * first have seen enough requests to need no look at the headers.
 */
async function makeWorld(isDirect: boolean) {
  const clock = new ManualClock(1_700_000_000_000)
  const store = isDirect ? new InMemoryStore({ clock: clock.now }) : new ReferenceStore(clock.now)
  const limiters = policies.map(policy => new RateLimiter({ store, policy, warn: () => {} }))
  if (isDirect)
    for (const limiter of limiters)
      for (let i = 0; i <= 1000; i++) await limiter.check(request(9), { cost: 0 })
  return { clock, limiters, decisions: [] as Decision[] }
}

function request(client: number): object {
  const socket = { remoteAddress: `203.0.113.${client}` }
  const routeOptions = { url: client === 1 ? '/a b/' : '/a' }
  return { method: 'GET', url: '/a?b', headers: {}, rawHeaders: [], socket, routeOptions }
}

type World = Awaited<ReturnType<typeof makeWorld>>

/** Makes a world as good as new: every counter ends. */
function renew(world: World): void {
  world.clock.advance('61d')
  world.decisions.length = 0
}

async function take(
  world: World,
  policy: number,
  given: typeof step extends fc.Arbitrary<infer T> ? T : never,
) {
  const limiter = world.limiters[policy] as RateLimiter
  if (given.do === 'wait') world.clock.advance(given.ms / 1000)
  if (given.do === 'change' || given.do === 'wait') return undefined
  if (given.do === 'settle') {
    const decision = world.decisions[given.of]
    return decision && limiter.settle(decision, given.actual)
  }
  const options = given.cost === null ? {} : { cost: given.cost }
  const decision =
    given.do === 'check'
      ? await limiter.check(request(given.ip), options)
      : await limiter.consume({ ip: `203.0.113.${given.ip}` }, options)
  world.decisions.push(decision)
  return { ...decision.toJSON(), charges: [...limiter.chargesOf(decision)] }
}

describe('a counter that is charged without a group', () => {
  it('a counter charged alone decides as the loop of all stores does, whatever happens before and after', async () => {
    const [direct, long] = [await makeWorld(true), await makeWorld(false)]
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async steps => {
        for (const world of [direct, long]) renew(world)
        let policy = 0
        for (const each of steps) {
          if (each.do === 'change') policy = each.to
          expect(await take(direct, policy, each)).toEqual(await take(long, policy, each))
        }
      }),
      { numRuns: 100 },
    )
  })

  it.each(['t', 'f', 'q'] as const)(
    'two demands on one counter are decided as by the loop of all stores, whatever their terms: %s',
    code => {
      const terms = fc.record({ unit: fc.constantFrom(3, 5, 2 ** 31), cost: fc.integer({ min: 1, max: 4 }) })
      fc.assert(
        fc.property(fc.array(fc.array(terms, { minLength: 1, maxLength: 3 }), { maxLength: 8 }), groups => {
          const clock = new ManualClock(1_700_000_000_000)
          const [direct, plain] = [new InMemoryStore({ clock: clock.now }), new ReferenceStore(clock.now)]
          for (const group of groups) {
            const demands = group.map(({ unit, cost }) => ({
              rule: {
                ...rule,
                code,
                counter: `d:${code}`,
                unit,
                rate: 1,
                capacity: 6,
                limit: 6,
                window: 5000,
              },
              subject: 'a',
              cost,
              mode: Mode.CHARGE,
              penalized: false,
            }))
            const [one, other] = [direct.evaluate({ demands }), plain.evaluate({ demands })]
            expect([one.allowed, one.states]).toEqual([other.allowed, other.states])
            clock.advance('1ms')
          }
        }),
      )
    },
  )

  it('a window is charged where a new bucket of the same group takes its room', () => {
    const store = new InMemoryStore({ clock: new ManualClock(1_700_000_000_000).now, maxKeys: 1 })
    const demand = (code: 't' | 'f', subject: string) => ({
      rule: { ...rule, code, counter: `p:${code}`, limit: 2 },
      subject,
      cost: 1,
      mode: Mode.CHARGE,
      penalized: false,
    })
    const window = demand('f', 'a')
    store.evaluate({ demands: [window] })
    const { states } = store.evaluate({ demands: [demand('t', 'b'), window] })
    expect(store.evaluate({ demands: [window] }).allowed).toBe(false)
    expect(states[1]).toEqual([0, 1_700_000_060_000_000, 2])
  })

  it('a decision of buckets and windows that are charged together tells what is left of each', async () => {
    const limiter = new RateLimiter({
      store: new InMemoryStore({ clock: new ManualClock().now }),
      policy: [
        { name: 'fixed', limit: 20, window: 60, algorithm: 'fixed-window' },
        { name: 'bucket', limit: 30, window: 60 },
        { name: 'day', limit: 9, window: '1d', algorithm: 'fixed-window' },
      ],
    })
    await limiter.consume({ user: '42' }, { cost: 3 })
    const { remaining, verdicts } = await limiter.consume({ user: '42' }, { cost: 2 })
    expect([remaining, ...verdicts.map(one => one.remaining)]).toEqual([4, 15, 25, 4])
  })

  it('each route of a policy that counts by route is charged alone', async () => {
    const store = new InMemoryStore()
    const charged: string[] = []
    const charge = store.charge.bind(store)
    store.charge = (subject, of, cost) => {
      charged.push(of.counter)
      return charge(subject, of, cost)
    }
    const policy = { name: 'routed', limit: 5, window: 60, scope: 'route' } as const
    const limiter = new RateLimiter({ store, policy, warn: () => {} })
    await limiter.check(request(1))
    await limiter.check(request(2))
    await limiter.consume({ ip: '203.0.113.1' })
    expect(charged).toEqual(['routed@GET:/a%20b:t', 'routed@GET:/a:t', 'routed@*:t'])
  })

  it('a counter is not charged alone where somebody has replaced evaluate()', async () => {
    const store = new InMemoryStore()
    let calls = 0
    const evaluate = store.evaluate.bind(store)
    const limiter = new RateLimiter({ store, policy: { name: 'spied', limit: 5, window: 60 } })
    store.evaluate = group => {
      calls++
      return evaluate(group)
    }
    for (let i = 0; i < 3; i++) await limiter.consume('a')
    expect(calls).toBe(3)
  })
})
