import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { RatePolicy } from '../../src/index.ts'
import { type Group, Mode } from '../../src/databases/index.ts'
import { StoreMisread } from '../../src/store/evaluation-check.ts'
import { mistake, world } from '../world.ts'
import { processes, type Processes, taken } from './processes.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** A bucket of 1 000 units that pays back one in 100 ms, so that hardly any comes back during a test. */
const SLOW: RatePolicy = {
  name: 'hot',
  limit: 10,
  window: 1,
  burst: 1000,
  lease: { share: 0.2, idle: '100ms' },
}
const WINDOW: RatePolicy = {
  name: 'hot',
  limit: 200,
  window: '10m',
  algorithm: 'fixed-window',
  lease: { share: 0.1, idle: '100ms' },
}

/** Asks for single units in a process, `each` in every millisecond. */
async function ask(hot: Processes, process: number, ms: number, each = 1): Promise<void> {
  for (let i = 0; i < ms; i++) {
    for (let j = 0; j < each; j++) void hot.use(process, 1)
    await hot.pass(1)
  }
}

/** The units that are left in the store. */
async function left(hot: Processes, policy: RatePolicy): Promise<number> {
  const { lease: _, ...exact } = policy
  return (await hot.limiter(exact).peek('s')).remaining
}

describe('a busy key', () => {
  it('a busy key is paid from units taken in advance, a few calls in a hundred checks', async () => {
    const hot = processes(1, SLOW)
    await ask(hot, 0, 200, 3)
    expect(hot.uses.every(({ allowed }) => allowed)).toBe(true)
    const { takes, exact } = taken(hot.groups)
    expect(hot.uses).toHaveLength(600)
    expect(takes).toBeGreaterThan(1)
    expect(takes + exact).toBeLessThan(30)
    expect(hot.uses.filter(({ isLocal }) => isLocal).length).toBe(600 - exact)
  })

  it('a busy key of two policies is paid from units of both, a few calls in a hundred checks', async () => {
    const hot = processes(1, [SLOW, { ...SLOW, name: 'other' }])
    await ask(hot, 0, 200, 3)
    const { takes, exact } = taken(hot.groups)
    expect(takes).toBeGreaterThan(1)
    expect(takes + exact).toBeLessThan(45)
    expect(exact).toBeLessThan(20)
  })

  it('a busy key of a quota is charged to the month in which its units are taken, after idle months, too', async () => {
    const month = {
      name: 'hot',
      limit: 200,
      period: 'monthly',
      lease: { share: 0.1, idle: '100ms' },
    } as const
    const hot = processes(1, month)
    await ask(hot, 0, 60)
    hot.clock.advance(65 * 86_400)
    await vi.advanceTimersByTimeAsync(65 * 86_400_000)
    const [before, asked] = [hot.uses.length, hot.groups.length]
    await ask(hot, 0, 150, 2)
    expect(hot.uses.slice(before).filter(({ allowed }) => allowed)).toHaveLength(200)
    expect(taken(hot.groups.slice(asked)).takes).toBeGreaterThan(2)
    expect(await left(hot, month as never)).toBe(0)
  })

  it('a busy key admits every unit of its limit in all processes together, and none more', async () => {
    const hot = processes(3, WINDOW)
    for (let i = 0; i < 90; i++) for (let process = 0; process < 3; process++) await ask(hot, process, 1)
    await hot.pass(150)
    for (let process = 0; process < 3; process++) await ask(hot, process, 5)
    expect(hot.uses.filter(({ allowed }) => allowed)).toHaveLength(200)
    expect(taken(hot.groups).takes).toBeGreaterThan(0)
  })

  it.each([WINDOW, { ...SLOW, limit: 1, window: '1m' }])(
    'a busy key shows what this process knows to be left',
    async policy => {
      const hot = processes(1, policy as RatePolicy)
      const rests: number[] = []
      for (let i = 0; i < 40; i++) {
        rests.push((await (hot.limiters[0] as Processes['limiters'][0]).consume('s')).remaining)
        await hot.pass(1)
      }
      const most = policy.burst ?? policy.limit
      expect(rests).toEqual(Array.from({ length: 40 }, (_, i) => most - 1 - i))
      expect(taken(hot.groups).exact).toBeLessThan(40)
    },
  )

  it('a busy key is told when its bucket is full again, to the second', async () => {
    const hot = processes(1, { ...SLOW, limit: 1, window: '1m', lease: { share: 0.2, idle: '10s' } })
    const [limiter] = hot.limiters as [Processes['limiters'][0]]
    const ends: number[] = []
    for (let i = 0; i < 40; i++) {
      ends.push((await limiter.consume('s')).resetAt)
      await hot.pass(i < 30 ? 1 : 500)
    }
    // Each unit takes a minute.
    expect(ends.map(end => end - (ends[0] ?? 0))).toEqual(Array.from({ length: 40 }, (_, i) => 60 * i))
    expect(taken(hot.groups).exact).toBeLessThan(30)
  })
})

it.each([
  { limit: 2, window: '1m' },
  { limit: 1, window: '2m' },
  { limit: 7, window: '1m' },
] as const)(
  'a busy key shows what is left though another process counts by $limit in $window',
  async numbers => {
    const policy = { ...SLOW, limit: 1, window: '1m', lease: { share: 0.2, idle: '10s' } } as const
    const hot = processes(1, policy)
    await ask(hot, 0, 30)
    const [limiter] = hot.limiters as [Processes['limiters'][0]]
    const before = await limiter.consume('s')
    const { lease: _, ...exact } = { ...policy, ...numbers }
    await hot.limiter(exact).consume('s', { cost: 2 })
    expect((await limiter.consume('s', { cost: 990 })).allowed).toBe(false)
    const calls = hot.groups.length
    expect((await limiter.consume('s')).remaining).toBe(before.remaining - 3)
    expect(hot.groups).toHaveLength(calls)
  },
)

it('a steady load of nine tenths of the limit loses at most a fiftieth', async () => {
  const limit = 10_000
  const hot = processes(4, { name: 'hot', limit, window: 1, lease: { share: 0.02 } }, { delay: () => 1 })
  // Nine checks a millisecond, by the processes in turns.
  for (let i = 0; i < 0.9 * limit; i++) {
    void hot.use(i % 4, 1)
    if (i % 9 === 8) await hot.pass(1)
  }
  await hot.pass(10)
  const { takes, exact } = taken(hot.groups)
  expect(hot.uses.filter(({ allowed }) => !allowed).length).toBeLessThanOrEqual(0.02 * hot.uses.length)
  // Twice in the 10 ms for which it holds units, each process takes the next: 800 calls in a second.
  expect(takes + exact).toBeLessThanOrEqual(0.1 * hot.uses.length)
})

it('a key that is not busy is never leased', async () => {
  const hot = processes(1, SLOW)
  for (let i = 0; i < 20; i++) {
    void hot.use(0, 1)
    await hot.pass(40)
  }
  expect(taken(hot.groups)).toEqual({ takes: 0, returns: 0, exact: 20 })
})

it('a limiter with a store of its own process asks it each time', async () => {
  const { limiter, store, clock } = world()
  const evaluate = vi.spyOn(store, 'evaluate')
  const hot = limiter(SLOW)
  for (let i = 0; i < 50; i++) {
    await hot.consume('s')
    clock.advance(0.001)
  }
  expect(evaluate).toHaveBeenCalledTimes(50)
})

describe('units that nobody uses', () => {
  it('units that nobody uses are given back when they have been idle', async () => {
    const hot = processes(1, SLOW)
    await ask(hot, 0, 30, 2)
    expect(await left(hot, SLOW)).toBeLessThan(940)
    await hot.pass(110)
    expect(taken(hot.groups).returns).toBeGreaterThan(0)
    // One unit comes back in 100 ms. Each batch costs up to one for the time for which it was held, and one for rounding.
    const { takes } = taken(hot.groups)
    expect(await left(hot, SLOW)).toBeGreaterThanOrEqual(940 - 2 * takes)
    expect(await left(hot, SLOW)).toBeLessThanOrEqual(942)
  })

  it('units that nobody uses are given back when the limiter is closed', async () => {
    const hot = processes(1, WINDOW)
    await ask(hot, 0, 30)
    expect(await left(hot, WINDOW)).toBeLessThan(170)
    await hot.limiters[0]?.close()
    expect(await left(hot, WINDOW)).toBe(170)
    await ask(hot, 0, 20)
    expect(await left(hot, WINDOW)).toBe(150)
  })

  it('units that nobody uses are given back when the store connects again', async () => {
    const hot = processes(1, WINDOW)
    await ask(hot, 0, 30)
    expect(await left(hot, WINDOW)).toBeLessThan(170)
    hot.reconnect()
    await hot.pass(0)
    expect(await left(hot, WINDOW)).toBe(170)
  })

  it('units that nobody uses stay charged if the store does not answer, and no error is left to the app', async () => {
    const hot = processes(1, WINDOW)
    const { store } = hot.limiters[0] as Processes['limiters'][0]
    const evaluate = store.evaluate.bind(store)
    await ask(hot, 0, 30)
    const before = await left(hot, WINDOW)
    const errors: unknown[] = []
    const hear = (error: unknown): void => void errors.push(error)
    process.on('unhandledRejection', hear)
    Object.assign(store, {
      evaluate: (group: Group) =>
        group.demands[0]?.mode === Mode.SETTLE ? new Promise(() => {}) : evaluate(group),
    })
    await hot.pass(400)
    await new Promise(resolve => void setImmediate(resolve))
    process.off('unhandledRejection', hear)
    expect(await left(hot, WINDOW)).toBe(before)
    expect(errors).toEqual([])
  })

  it('units of a process that was killed are never used twice', async () => {
    const hot = processes(2, WINDOW)
    await ask(hot, 0, 30)
    const lost = 170 - (await left(hot, WINDOW))
    expect(lost).toBeGreaterThan(0)
    vi.clearAllTimers()
    for (let i = 0; i < 4; i++) await ask(hot, 1, 60)
    expect(hot.uses.filter(({ allowed }) => allowed)).toHaveLength(200 - lost)
  })
})

describe('a check of several policies', () => {
  const own: RatePolicy = { name: 'own', limit: 25, window: '10m', algorithm: 'fixed-window' }

  it('a check of several policies pays the leased one locally, and asks the store for the others alone', async () => {
    const hot = processes(1, [WINDOW, own])
    await ask(hot, 0, 25)
    const names = hot.groups.map(({ demands }) =>
      demands.map(({ rule }) => rule.counter.split('@')[0]).join('+'),
    )
    expect(names).toContain('own:f')
    expect(hot.uses.every(({ allowed }) => allowed)).toBe(true)
    await hot.limiters[0]?.close()
    expect(await left(hot, WINDOW)).toBe(175)
    expect(await left(hot, own)).toBe(0)
  })

  it('a check of several policies puts the units back if another policy refuses', async () => {
    const hot = processes(1, [WINDOW, own])
    await ask(hot, 0, 60)
    expect(hot.uses.filter(({ allowed }) => allowed)).toHaveLength(25)
    await hot.limiters[0]?.close()
    expect(await left(hot, WINDOW)).toBe(175)
  })

  it('a check of several policies tells the verdict of each', async () => {
    const hot = processes(1, [WINDOW, own])
    await ask(hot, 0, 20)
    const decision = await (hot.limiters[0] as Processes['limiters'][0]).consume('s')
    expect(decision.verdicts.map(({ policy, allowed, remaining }) => [policy, allowed, remaining])).toEqual([
      ['hot', true, 179],
      ['own', true, 4],
    ])
    expect(decision.policy).toBe('own')
  })
})

describe('what changes a counter', () => {
  it('a settlement reaches the store', async () => {
    const hot = processes(1, WINDOW)
    await ask(hot, 0, 20)
    const [limiter] = hot.limiters as [Processes['limiters'][0]]
    const before = taken(hot.groups).exact
    const decision = await limiter.consume('s')
    expect(taken(hot.groups).exact).toBe(before)
    await limiter.settle(decision, 0)
    await limiter.close()
    expect(await left(hot, WINDOW)).toBe(180)
  })

  it('a reset forgets what the process holds', async () => {
    const hot = processes(1, WINDOW)
    await ask(hot, 0, 20)
    await hot.limiters[0]?.reset('s')
    await hot.limiters[0]?.close()
    expect(await left(hot, WINDOW)).toBe(200)
  })

  it('a reset forgets the units of a call that is under way', async () => {
    const hot = processes(1, WINDOW, { delay: () => 5 })
    while (taken(hot.groups).takes === 0) await ask(hot, 0, 1)
    // The store charges after 5 ms and answers after 10.
    await hot.pass(7)
    void hot.limiters[0]?.reset('s')
    await hot.pass(12)
    void hot.use(0, 1)
    await hot.pass(12)
    expect(hot.uses.at(-1)).toMatchObject({ allowed: true, isLocal: false })
  })

  it('a reset loses no unit that is being taken', async () => {
    const hot = processes(1, WINDOW, { delay: () => 5 })
    while (taken(hot.groups).takes === 0) await ask(hot, 0, 1)
    // The store charges after 5 ms.
    await hot.pass(2)
    const reset = hot.limiters[0]?.reset('s')
    await hot.pass(40)
    await reset
    await hot.limiters[0]?.close()
    expect(await left(hot, WINDOW)).toBe(200)
  })

  it('a counter that is busy while it is reset keeps every unit of its limit, and gets none more', async () => {
    for (let at = 0; at < 12; at++) {
      const hot = processes(1, WINDOW, { delay: () => 3 })
      await ask(hot, 0, 30 + at)
      const before = hot.uses.length
      const reset = hot.limiters[0]?.reset('s')
      await ask(hot, 0, 30)
      await reset
      const closed = hot.limiters[0]?.close()
      await hot.pass(20)
      await closed
      const charged = hot.uses.slice(before).filter(({ allowed }) => allowed).length
      // A request that was under way may have been charged before the reset.
      const rest = await left(hot, WINDOW)
      expect(rest).toBeGreaterThanOrEqual(200 - charged)
      expect(rest).toBeLessThanOrEqual(200 - charged + 10)
    }
  })

  it('nothing is taken in advance while a counter is reset', async () => {
    const hot = processes(1, WINDOW)
    await ask(hot, 0, 20)
    let end = (): void => {}
    vi.spyOn(hot.store, 'forget').mockReturnValue(new Promise(resolve => (end = () => resolve(1))) as never)
    const reset = hot.limiters[0]?.reset('s')
    const begun = hot.groups.length
    await ask(hot, 0, 60)
    expect(taken(hot.groups.slice(begun))).toMatchObject({ takes: 0, exact: 60 })
    end()
    await reset
    await ask(hot, 0, 60)
    expect(taken(hot.groups.slice(begun)).takes).toBeGreaterThan(0)
  })

  it('a peek uses no unit that the process holds', async () => {
    const hot = processes(1, WINDOW)
    await ask(hot, 0, 20)
    for (let i = 0; i < 30; i++) await hot.limiters[0]?.peek('s')
    await ask(hot, 0, 1)
    expect(hot.uses.at(-1)).toMatchObject({ allowed: true, isLocal: true })
  })

  it('the refusal that starts a cool-down of another policy is told as the limit’s, and the next as the cool-down’s', async () => {
    const login = {
      name: 'login',
      limit: 30,
      window: '10m',
      algorithm: 'fixed-window',
      blockDuration: '1h',
    } as const
    const hot = processes(1, [WINDOW, login])
    const reasons: string[] = []
    for (let i = 0; i < 32; i++) {
      reasons.push((await hot.limiters[0]!.consume('s')).reason)
      await hot.pass(1)
    }
    expect(taken(hot.groups).takes).toBeGreaterThan(0)
    expect(reasons.slice(-3)).toEqual(['ok', 'limited', 'blocked'])
  })

  it('a pause refuses the next request of the process, though it holds units', async () => {
    const hot = processes(1, SLOW)
    await ask(hot, 0, 30)
    await hot.limiters[0]?.pause('s', { for: '10s' })
    await ask(hot, 0, 1)
    expect(hot.uses.at(-1)?.allowed).toBe(false)
  })
})

describe('while the store is away', () => {
  it('a process uses what it holds during an outage, then its share', async () => {
    const hot = processes(1, WINDOW, { instances: 10 })
    await ask(hot, 0, 20)
    vi.spyOn(hot.store, 'evaluate').mockImplementation(() => {
      throw new StoreMisread('down')
    })
    const [limiter] = hot.limiters as [Processes['limiters'][0]]
    const decisions = []
    for (let i = 0; i < 60; i++) decisions.push(await limiter.consume('s'))
    const first = decisions.findIndex(({ degraded }) => degraded !== false)
    expect(first).toBeGreaterThan(0)
    expect(decisions.slice(0, first).every(({ allowed }) => allowed)).toBe(true)
    // The share is 20 of 200 units.
    expect(decisions.slice(first).filter(({ allowed }) => allowed)).toHaveLength(20)
  })

  it('a call that takes units may begin an outage, and another one ends it', async () => {
    const told: string[] = []
    const telemetry = {
      onStoreError: () => void told.push('failed'),
      onStoreRecovered: () => void told.push('recovered'),
    }
    const hot = processes(1, { ...WINDOW, limit: 20_000 }, { telemetry })
    await ask(hot, 0, 100, 3)
    const before = taken(hot.groups)
    vi.spyOn(hot.store, 'evaluate').mockImplementationOnce(() => {
      throw new StoreMisread('down')
    })
    for (let i = 0; i < 200 && told.length < 2; i++) await ask(hot, 0, 1, 3)
    expect(told).toEqual(['failed', 'recovered'])
    expect(taken(hot.groups)).toMatchObject({ takes: before.takes + 2, exact: before.exact })
  })

  it('a call that takes units and is answered too late gives them back', async () => {
    const delays = { now: 0 }
    const hot = processes(1, WINDOW, { delay: () => delays.now })
    await ask(hot, 0, 8)
    delays.now = 200
    await ask(hot, 0, 12)
    delays.now = 0
    await hot.pass(600)
    const used = hot.uses.filter(({ allowed }) => allowed).length
    expect(200 - (await left(hot, WINDOW))).toBe(used)
  })
})

it.each([
  [{ share: 0 }],
  [{ share: 0.6 }],
  [{ share: '0.1' }],
  [{ share: 0.1, idle: '1ms' }],
  [{ share: 0.1, idle: '1m' }],
  [{ share: 0.1, for: 3 }],
  [true],
])('a limiter refuses lease: %j when it is made', lease => {
  const error = mistake(() => world().limiter({ ...SLOW, lease } as unknown as RatePolicy))
  expect(['HALT_E_LEASE', 'HALT_E_UNKNOWN_FIELD', 'HALT_E_OPTION']).toContain(error.code)
})

it('a policy that counts requests in flight takes no lease', () => {
  const { limiter } = world()
  const lease = { share: 0.1 }
  expect(mistake(() => limiter({ name: 'a', limit: 5, ttl: 9, algorithm: 'concurrency', lease })).code).toBe(
    'HALT_E_LEASE',
  )
  expect(mistake(() => limiter({ name: 'a', limit: 5, window: 9, inFlight: 2, lease })).code).toBe(
    'HALT_E_LEASE',
  )
})
