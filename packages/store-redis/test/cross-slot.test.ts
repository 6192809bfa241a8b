import { RateLimiter, type RateLimiterOptions } from '@halt/core'
import { type Demand, type Group, Mode, type Evaluation } from '@halt/core/store'
import { ManualClock, ReferenceStore } from '@halt/core/testing'
import { expect, it } from 'vitest'

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
  const held: Demand = { ...charge('ip', failures), mode: Mode.HOLD }
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

it('of calls with one idempotency key at the same time one is charged', async () => {
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

it('the store ends leases and refunds units by the clock of the node that counts them', async () => {
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
