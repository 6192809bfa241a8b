// The script decides the commonest groups on paths of their own: one bucket alone, a run of equal groups, buckets with windows.
// Here they meet what random histories meet rarely: the exact edges of windows, a clock that steps back, changed terms.
import {
  type Evaluation,
  type Group,
  Mode,
  PenaltyMode,
  type PenaltyRule,
  type Rule,
  shareRuleOf,
} from '@halt/core/store'
import { ReferenceStore } from '@halt/core/testing'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { unique } from '../../../../tools/unique.ts'
import { RedisStore, type Run } from '../../src/index.ts'

const client = new Redis(inject('redisUrl'))
afterAll(() => client.quit())

const SECOND = 1e6
const START = 1_700_000_000 * SECOND
const base = {
  limit: 4,
  capacity: 4,
  unit: 1,
  rate: 1,
  slice: 1,
  precision: 1,
  cooldown: 0,
  reduced: undefined,
}
const bucket: Rule = { ...base, code: 't', counter: 'b:t', unit: 500_000, window: 2 * SECOND }
const fraction: Rule = {
  ...base,
  code: 't',
  counter: 'b:t',
  capacity: 7,
  unit: 700_000,
  rate: 3,
  window: SECOND,
}
const slower: Rule = { ...bucket, unit: 600_000 }
const cooling: Rule = { ...bucket, counter: 'c:t', capacity: 1, cooldown: SECOND }
const window: Rule = { ...base, code: 'f', counter: 'w:f', window: 2 * SECOND }
const coolingWindow: Rule = { ...window, cooldown: SECOND }
const quota: Rule = { ...base, code: 'q', counter: 'q:q', limit: 9, capacity: 9, window: 3 * SECOND }
const edges = [START, START + 3 * SECOND, START + 6 * SECOND] as const
const penaltyRule: PenaltyRule = {
  threshold: 2e6,
  duration: 2 * SECOND,
  decay: 1,
  severity: 1e6,
  cooldown: 0,
  factor: 1,
  maxDuration: 60 * SECOND,
}

const demandOf = (rule: Rule, subject: string, cost: number) => ({
  rule,
  subject,
  cost,
  mode: Mode.CHARGE,
  penalized: rule === bucket,
  edges: rule === quota ? edges : undefined,
})
const shapes: readonly (readonly Rule[])[] = [
  [bucket],
  [slower],
  [fraction],
  [cooling],
  [window],
  [quota],
  [bucket, quota],
  [bucket, window, quota],
  [cooling, window],
  [coolingWindow, bucket],
  [fraction, quota],
]

const step = fc.record({
  // The edges of the window and of the quota, steps back, and others.
  advance: fc.constantFrom(2 * SECOND, 3 * SECOND, -SECOND, -100_000, 0, 1, 250_000, 500_000, SECOND - 1),
  shape: fc.nat(shapes.length - 1),
  subjects: fc.oneof(
    fc.constant<('x' | 'y')[]>(['x']),
    fc.array(fc.constantFrom<'x' | 'y'>('x', 'y'), { minLength: 1, maxLength: 4 }),
  ),
  cost: fc.constantFrom(1, 1, 1, 2, 5),
  penalty: fc.constantFrom(undefined, undefined, PenaltyMode.WATCH, PenaltyMode.READ),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function groupsOf({ shape, subjects, cost, penalty }: Step): Group[] {
  return subjects.map(subject => ({
    demands: (shapes[shape] as readonly Rule[]).map(rule => demandOf(rule, subject, cost)),
    penalty:
      penalty === undefined
        ? undefined
        : { rule: penaltyRule, subject: `p${subject}`, mode: penalty, amount: 0 },
  }))
}

/** What a decision is read from, with what a getter tells. */
function told({ now, allowed, repeated, passes, starts, states, penalty }: Evaluation): unknown {
  return {
    now,
    allowed,
    repeated,
    passes: [...passes],
    starts: starts.includes(true),
    states,
    penalty: [...penalty],
  }
}

it('every path of the script decides as the reference does, at edges and when the clock steps back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 50 }), async steps => {
      let now = START
      const clock = (): number => now / 1000
      const reference = new ReferenceStore(clock)
      const prefix = `${unique()}:`
      const store = new RedisStore({ client, clock, prefix, connection: 'shared' })
      for (const each of steps) {
        now += each.advance
        const groups = groupsOf(each)
        const expected = groups.map(group => told(reference.evaluate(group)))
        const found = await Promise.all(groups.map(group => store.evaluate(group)))
        expect(found.map(told)).toEqual(expected)
      }
    }),
    { numRuns: isFull ? 80 : 30 },
  )
})

// The numbers of two buckets of one counter that tenants share.
const pools: readonly Rule[] = [
  { ...base, code: 't', counter: 'pool:t', limit: 20, capacity: 20, unit: 100_000, window: 2 * SECOND },
  { ...base, code: 't', counter: 'pool:t', limit: 7, capacity: 7, unit: 700_000, rate: 3, window: SECOND },
  { ...base, code: 't', counter: 'tight:t', limit: 3, capacity: 3, unit: 500_000, window: SECOND },
]

/** The check of a tenant on a bucket that tenants share. */
const shared = (rule: Rule, tenant: string, cost: number, weight: number): Group => ({
  demands: [
    {
      rule,
      subject: 's',
      cost,
      mode: Mode.CHARGE,
      penalized: false,
      terms: { share: { rule: shareRuleOf(rule, tenant), weight } },
    },
  ],
})

it('the path of a shared bucket decides as the reference does, at its edges and after long pauses', async () => {
  const ask = fc.record({
    pool: fc.constantFrom(...pools, pools[0]!, pools[0]!),
    tenant: fc.constantFrom('user:1', 'user:1', 'user:2', 'user:3'),
    cost: fc.constantFrom(1, 1, 1, 2, 5, 30),
    weight: fc.constantFrom(1, 1, 5, 100),
  })
  const visit = fc.record({
    advance: fc.constantFrom(0, 1, 50_000, 100_000, 100_001, SECOND, -100_000, 61 * SECOND, 3000 * SECOND),
    asks: fc.array(ask, { minLength: 1, maxLength: 6 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(visit, { minLength: 20, maxLength: 50 }), async visits => {
      let now = START
      const clock = (): number => now / 1000
      const reference = new ReferenceStore(clock)
      const store = new RedisStore({ client, clock, prefix: `${unique()}:`, connection: 'shared' })
      for (const { advance, asks } of visits) {
        now += advance
        const groups = asks.map(({ pool, tenant, cost, weight }) => shared(pool, tenant, cost, weight))
        const expected = groups.map(group => told(reference.evaluate(group)))
        const found = await Promise.all(groups.map(group => store.evaluate(group)))
        expect(found.map(told)).toEqual(expected)
      }
    }),
    { numRuns: isFull ? 60 : 25 },
  )
})

it('every path lets a key expire a second after it equals a fresh one, by the clock of the server', async () => {
  const prefix = `${unique()}:`
  const store = new RedisStore({ client, prefix, connection: 'shared' })
  const once = (rules: readonly Rule[], subject: string): Promise<Evaluation> =>
    store.evaluate({ demands: rules.map(rule => demandOf(rule, subject, 1)) })
  const isExpiringAt = async (subject: string, rule: Rule, fresh: number): Promise<void> => {
    const at = await client.pexpiretime(`${prefix}{${subject}}:${rule.counter}`)
    expect(at, `${subject} ${rule.counter}`).toBe(Math.ceil(fresh / 1000) + 1000)
  }
  for (const rule of [slower, fraction]) {
    const alone = await once([rule], `alone-${rule.rate}`)
    await isExpiringAt(`alone-${rule.rate}`, rule, alone.now + Math.ceil(rule.unit / rule.rate))
    const run = await Promise.all([1, 2].map(() => once([rule], `run-${rule.rate}`)))
    await isExpiringAt(`run-${rule.rate}`, rule, (run[1]?.now ?? 0) + Math.ceil((2 * rule.unit) / rule.rate))
  }
  const both = await once([cooling, window], 'both')
  await isExpiringAt('both', cooling, both.now + cooling.unit)
  await isExpiringAt('both', window, both.now + window.window)
  const pair = await store.evaluate(shared(pools[0]!, 'user:1', 1, 1))
  // A tag ends with a whole second.
  const until = Math.ceil((pair.now + 60 * SECOND) / SECOND) * SECOND
  await isExpiringAt('s', shareRuleOf(pools[0]!, 'user:1'), until)
  await isExpiringAt('s', pools[0]!, pair.now + 60 * SECOND + pools[0]!.unit)
})

it('a reply of one number tells what a list tells, and what the key holds', async () => {
  const prefix = `${unique()}:`
  const replies: unknown[] = []
  const make = (second?: string): RedisStore => {
    const run: Run = async (script, keys, [now = '', unit = '', room = '', expected = '', ...rest]) => {
      const args = [now, unit, room, second ?? expected, ...rest]
      const reply: unknown = await client.eval(script.source, keys.length, ...keys, ...args)
      replies.push(reply)
      return reply
    }
    return new RedisStore({ run, prefix })
  }
  // The first store expects no second in its first call, and the right one in the others.
  for (const [i, store] of [make(), make('17'), make('')].entries()) {
    for (const rule of [slower, fraction, bucket]) {
      const subject = `${i}-${rule.unit}`
      const { now, states } = await store.evaluate({ demands: [demandOf(rule, subject, 1)] })
      const debt = states[0]?.[2]
      const value = await client.getBuffer(`${prefix}{${subject}}:${rule.counter}`)
      expect([0, 8, 16, 24].map(at => value?.readDoubleBE(at))).toEqual([now, debt, rule.unit, rule.rate])
    }
  }
  const forms = replies.map(reply => (Array.isArray(reply) ? 'list' : typeof reply))
  expect(forms.slice(3)).toEqual(Array(6).fill('list'))
  // A second may have passed between two calls.
  expect(forms[0]).toBe('list')
  expect(forms.slice(1, 3)).toContain('number')
})

// A write that Redis refuses although it did the one before, such as no server does when a test asks for it.
const FAILING = `local real = redis
local redis = { call = real.call, error_reply = real.error_reply }
redis.pcall = function(name, key, ...)
  if name == 'SET' and string.find(key, 'full') then return { err = 'OOM no memory' } end
  return real.pcall(name, key, ...)
end
`

it('a group with a write that fails is charged nothing, and the other groups of the call are charged', async () => {
  const prefix = `${unique()}:`
  const run: Run = ({ source }, keys, args) =>
    client.eval(FAILING + source, keys.length, ...keys, ...args) as Promise<unknown>
  const store = new RedisStore({ run, prefix })
  const full = { ...window, counter: 'full:f' }
  const peek = { ...window, counter: 'look:f' }
  const fullOfTenants = { ...pools[0]!, counter: 'tenants:t' }
  const tenant = shared(fullOfTenants, 'user:full', 1, 1)
  await expect(store.evaluate(tenant)).rejects.toThrow(/memory/)
  expect(await client.keys(`${prefix}*tenants*`)).toEqual([])
  // With a demand that only looks, a group takes the general path.
  for (const [name, more] of [
    ['plain', []],
    ['general', [{ ...demandOf(peek, 'x', 1), mode: Mode.PEEK }]],
  ] as const) {
    const group = (rules: readonly Rule[]): Group => ({
      demands: [
        ...rules.map(rule => demandOf({ ...rule, counter: `${name}-${rule.counter}` }, 'x', 1)),
        ...more,
      ],
    })
    await store.evaluate(group([bucket, window]))
    const found = await Promise.all(
      [[bucket, window], [bucket, cooling, full], [full], [bucket, window]].map(rules =>
        store.evaluate(group(rules)).catch((error: unknown) => error),
      ),
    )
    expect(found).toMatchObject([
      { allowed: true },
      { code: 'HALT_E_STORE_OOM' },
      { code: 'HALT_E_STORE_OOM' },
      { allowed: true },
    ])
    const after = await store.evaluate(group([bucket, window]))
    expect(after.states[1]).toMatchObject([0, expect.any(Number), 4])
    const keys = await client.keys(`${prefix}{x}:${name}-*`)
    expect(keys.sort()).toEqual([`${prefix}{x}:${name}-b:t`, `${prefix}{x}:${name}-w:f`])
    for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(1000)
  }
})
