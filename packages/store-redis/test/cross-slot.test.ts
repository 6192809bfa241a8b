import { RateLimiter, type RateLimiterOptions } from '@halt/core'
import { type Demand, type Group, Mode, PenaltyMode, type Evaluation, type Terms } from '@halt/core/store'
import { ManualClock, ReferenceStore } from '@halt/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../tools/full.ts'
import { keyWriter, slotOf } from '../src/keys.ts'
import { evaluateAcrossSlots } from '../src/cross-slot.ts'

const rule = (counter: string, capacity: number, cooldown = 0): Demand['rule'] => ({
  code: 'f',
  counter,
  limit: capacity,
  capacity,
  unit: 1,
  rate: 1,
  window: 60e6,
  slice: 6e6,
  precision: 10,
  cooldown,
  reduced: undefined,
})
const charge = (subject: string, of: Demand['rule']): Demand => ({
  rule: of,
  subject,
  cost: 1,
  mode: Mode.CHARGE,
  penalized: false,
})
const key = keyWriter('h:', false, text => text)
const login = rule('login:f', 1, 10e6)
const everybody = rule('all:f', 1)
const ROUND_TRIP_MS = 20

/**
 * Three stores behind a slow network, like the nodes of a cluster. Each gets its calls in order, and has its own clock.
 */
function cluster(): {
  ask(group: Group): Promise<boolean>
  decide(group: Group): Promise<Evaluation>
  calls: [slot: number, group: Group][]
} {
  const clock = new ManualClock()
  const stores = [0, 250, 700].map(ahead => new ReferenceStore(() => clock.now() + ahead))
  const calls: [number, Group][] = []
  const send = async (slot: number, part: Group) => {
    calls.push([slot, part])
    const evaluation = (stores[slot % 3] as ReferenceStore).evaluate(part)
    await new Promise(resolve => setTimeout(resolve, ROUND_TRIP_MS))
    return evaluation
  }
  const decide = (group: Group): Promise<Evaluation> => evaluateAcrossSlots(group, key, send)
  return { calls, decide, ask: async group => (await decide(group)).allowed }
}

it('a counter with a cool-down is charged after all others have passed, so that a refund starts no cool-down', async () => {
  const { ask } = cluster()
  expect(await ask({ demands: [charge('all', everybody)] })).toBe(true)
  // "everybody" refuses the first request, whose charge the second must not see at the counter of the address.
  const first = ask({ demands: [charge('ip', login), charge('all', everybody)] })
  const second = ask({ demands: [charge('ip', login)] })
  expect(await Promise.all([first, second])).toEqual([false, true])
})

it('a refusal charges nothing, and starts only the cool-down of the policy that refuses', async () => {
  const { ask, calls } = cluster()
  expect(await ask({ demands: [charge('ip', login), charge('all', everybody)] })).toBe(true)
  const other = [charge('ip2', login), charge('all', everybody)]
  expect(await ask({ demands: other })).toBe(false)
  expect(await ask({ demands: [charge('ip2', login)] })).toBe(true)
  // If the address refuses, its cool-down starts, whatever the other counter decides.
  const before = calls.length
  expect(await ask({ demands: [charge('ip', login), charge('all2', everybody)] })).toBe(false)
  expect(calls.slice(before).map(([slot]) => slot)).toEqual(
    expect.arrayContaining([slotOf(key('ip', 'login:f')), slotOf(key('all2', 'all:f'))]),
  )
  expect(await ask({ demands: [charge('all2', everybody)] })).toBe(true)
})

it('a group without cool-downs asks each slot once', async () => {
  const { ask, calls } = cluster()
  expect(
    await ask({ demands: [charge('a', everybody), charge('b', everybody), charge('c', everybody)] }),
  ).toBe(true)
  expect(calls.length).toBe(3)
  expect(await ask({ demands: [charge('d', everybody), charge('ip', login)] })).toBe(true)
  expect(calls.length).toBe(6)
})

it('an idempotency key is charged once, whatever its slot', async () => {
  for (const subject of ['ip', 'all', 'elsewhere']) {
    const { ask } = cluster()
    const idempotency = { subject, counter: 'i:x', window: 60e6 }
    const roomy = rule('login:f', 2, 10e6)
    const group: Group = { demands: [charge('ip', roomy), charge('all', rule('all:f', 2))], idempotency }
    expect([await ask(group), await ask(group), await ask(group)]).toEqual([true, true, true])
    expect(await ask({ demands: group.demands })).toBe(true)
    expect(await ask({ demands: group.demands })).toBe(false)
  }
})

it('a shadow policy beside one with a cool-down admits no more', async () => {
  const { decide } = cluster()
  const trial: Demand = { ...charge('ip', rule('trial:f', 1)), mode: Mode.SHADOW }
  const roomy = rule('login:f', 3, 10e6)
  const group = { demands: [charge('ip', roomy), trial, charge('all', rule('all:f', 100))] }
  const evaluations = [await decide(group), await decide(group), await decide(group), await decide(group)]
  expect(evaluations.map(({ allowed }) => allowed)).toEqual([true, true, true, false])
  expect(evaluations.map(({ passes }) => passes[1])).toEqual([true, false, false, false])
})

it('a held demand is never refunded, because it was not charged', async () => {
  const { ask } = cluster()
  const failures = rule('failures:f', 2)
  const held: Demand = { ...charge('ip', failures), mode: Mode.DEFER }
  expect(await ask({ demands: [charge('ip', failures)] })).toBe(true)
  expect(await ask({ demands: [charge('all', everybody)] })).toBe(true)
  for (let i = 0; i < 3; i++) expect(await ask({ demands: [held, charge('all', everybody)] })).toBe(false)
  expect(await ask({ demands: [charge('ip', failures)] })).toBe(true)
  expect(await ask({ demands: [charge('ip', failures)] })).toBe(false)
})

it('the idempotency key of a refused call admits nobody, however many calls come at once', async () => {
  const { ask } = cluster()
  const spent = charge('user', everybody)
  expect(await ask({ demands: [spent] })).toBe(true)
  const idempotency = { subject: 'ip', counter: 'login@k:i', window: 60e6 }
  const group: Group = { demands: [charge('ip', rule('rate:f', 1000)), spent], idempotency }
  for (let i = 0; i < 3; i++)
    expect(await Promise.all(Array.from({ length: 5 }, () => ask(group)))).toEqual(Array(5).fill(false))
})

it('one of several calls with one idempotency key at the same time is charged', async () => {
  const { ask } = cluster()
  const idempotency = { subject: 'elsewhere', counter: 'rate@k:i', window: 60e6 }
  const group: Group = {
    demands: [charge('ip', rule('rate:f', 3)), charge('all', rule('all:f', 3))],
    idempotency,
  }
  expect(await Promise.all(Array.from({ length: 3 }, () => ask(group)))).toEqual([true, true, true])
  expect([await ask({ demands: group.demands }), await ask({ demands: group.demands })]).toEqual([true, true])
  expect(await ask({ demands: group.demands })).toBe(false)
})

it('the store ends permits and refunds units by the clock of the node that counts them', async () => {
  const { decide } = cluster()
  const policy: RateLimiterOptions['policy'] = [
    { name: 'flight', algorithm: 'concurrency', limit: 2, ttl: 300, keyStrategy: 'user' },
    { name: 'window', limit: 5, window: 60, algorithm: 'sliding-window', keyStrategy: 'user' },
    { name: 'rate', limit: 100_000, window: 60 },
    { name: 'both', limit: 100_000, window: 60, keyStrategy: 'composite' },
  ]
  const limiter = new RateLimiter({
    store: { evaluate: decide, forget: () => 0 },
    policy,
    storeTimeout: '2s',
  })
  for (const id of ['1', '2', '3', '4', '5', '6']) {
    const ip = `203.0.113.${id}`
    const request = { method: 'GET', path: '/', ip, headers: {}, request: { user: { id } } }
    for (let i = 0; i < 7; i++) {
      const decision = await limiter.check(request)
      expect(decision.allowed).toBe(true)
      await limiter.settle(decision, 0)
      await limiter.release(decision)
    }
  }
})

describe('terms over several slots', () => {
  const SECOND = 1e6
  const bucket = (counter: string, capacity: number, cooldown = 0): Demand['rule'] => ({
    ...rule(counter, capacity, cooldown),
    code: 't',
    unit: SECOND,
  })
  const patient = (subject: string, of: Demand['rule'], cost: number, terms: Terms): Demand => ({
    ...charge(subject, of),
    cost,
    terms,
  })
  const remaining = async (
    decide: (group: Group) => Promise<Evaluation>,
    demand: Demand,
  ): Promise<number> => {
    let units = 0
    const one = { ...demand, cost: 1, terms: undefined, mode: Mode.PEEK }
    while ((await decide({ demands: [{ ...one, cost: units + 1 }] })).allowed) units++
    return units
  }

  it('a caller that would wait asks again, and nothing is charged, started or scored meanwhile', async () => {
    const { decide } = cluster()
    const [own, all] = [bucket('own:t', 5, 60 * SECOND), bucket('all:t', 2, 60 * SECOND)]
    const penalty = {
      rule: { threshold: 9e6, duration: 1, decay: 0, severity: 1e6, cooldown: 0, factor: 1, maxDuration: 1 },
      subject: 'all',
      mode: PenaltyMode.WATCH,
      amount: 0,
    }
    const terms = { maxWait: 30 * SECOND }
    const group = { demands: [patient('own', own, 2, terms), patient('all', all, 2, terms)], penalty }
    expect(await decide(group)).toMatchObject({ allowed: true, startsIn: undefined })
    expect(await decide(group)).toMatchObject({
      allowed: false,
      startsIn: 2 * SECOND,
      starts: [false, false],
      penalty: [],
    })
    expect(await remaining(decide, patient('own', own, 1, {}))).toBe(3)
    expect(await remaining(decide, patient('all', all, 1, {}))).toBe(0)
  })

  it('a group that one slot refuses for good is refused, and its violation is scored once', async () => {
    for (const subject of ['own', 'all', 'elsewhere']) {
      const { decide } = cluster()
      const [own, all] = [bucket('own:t', 2), bucket('all:t', 2)]
      const penalty = {
        rule: {
          threshold: 9e6,
          duration: 1,
          decay: 0,
          severity: 1e6,
          cooldown: 0,
          factor: 1,
          maxDuration: 1,
        },
        subject,
        mode: PenaltyMode.WATCH,
        amount: 0,
      }
      const group = {
        demands: [patient('own', own, 2, { maxWait: 30 * SECOND }), patient('all', all, 2, {})],
        penalty,
      }
      await decide(group)
      const refused = await decide(group)
      expect([refused.allowed, refused.startsIn, refused.penalty[3]], subject).toEqual([false, undefined, 1])
    }
  })

  it('all slots charge the units of the slot that grants the fewest, with a cool-down or without', async () => {
    for (const cooldown of [0, 60 * SECOND]) {
      const { decide } = cluster()
      const [own, all] = [bucket('own:t', 9, cooldown), bucket('all:t', 4)]
      const terms = { least: 1 }
      const group = { demands: [patient('own', own, 8, terms), patient('all', all, 8, terms)] }
      expect(await decide(group)).toMatchObject({ allowed: true, grants: [4, 4] })
      expect(await remaining(decide, patient('own', own, 1, {}))).toBe(5)
      expect(await remaining(decide, patient('all', all, 1, {}))).toBe(0)
      expect(await decide(group)).toMatchObject({ allowed: false, grants: undefined })
      expect(await remaining(decide, patient('own', own, 1, {}))).toBe(5)
    }
  })

  // Fixed windows are left out, because a charge that is given back leaves a window open.
  const rules = [
    bucket('b:t', 4),
    bucket('c:t', 9),
    { ...rule('s:s', 6), code: 's' as const },
    { ...rule('c:c', 3), code: 'c' as const },
  ]
  const step = fc.record({
    advance: fc.constantFrom(0, 0, 1000, 300_000, SECOND, 20 * SECOND),
    demands: fc.array(
      fc.record({
        rule: fc.constantFrom(...rules),
        mode: fc.constantFrom<Mode>(Mode.CHARGE, Mode.CHARGE, Mode.CHARGE, Mode.SHADOW),
        maxWait: fc.constantFrom(undefined, SECOND, 10 * SECOND),
        headroom: fc.constantFrom(undefined, undefined, 0.5),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    cost: fc.constantFrom(1, 2, 3, 8),
    least: fc.constantFrom(undefined, 1, 2),
  })

  it('nodes decide as one store does that never gives a place', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async steps => {
        let now = 1_700_000_000 * SECOND
        const [nodes, reference] = [0, 1].map(() => new ReferenceStore(() => now / 1000)) as [
          ReferenceStore,
          ReferenceStore,
        ]
        const look = { ...charge('s0', rule('look:f', 1)), mode: Mode.PEEK }
        for (const { advance, demands, cost, least } of steps) {
          now += advance
          const group = {
            demands: demands.map(({ rule: of, mode, maxWait, headroom }, i): Demand => {
              const fewest = least !== undefined && least < cost ? least : undefined
              return { ...charge(`s${i}`, of), cost, mode, terms: { maxWait, headroom, least: fewest } }
            }),
          }
          const expected = reference.evaluate({ demands: [...group.demands, look] })
          const found = await evaluateAcrossSlots(group, key, async (_, part) => nodes.evaluate(part))
          const told = ({ allowed, startsIn, grants, passes, starts }: Evaluation): unknown => [
            allowed,
            startsIn,
            grants?.slice(0, demands.length),
            passes.slice(0, demands.length),
            starts.includes(true),
          ]
          expect(told(found)).toEqual(told(expected))
        }
      }),
      { numRuns: isFull ? 100 : 40 },
    )
  })
})
