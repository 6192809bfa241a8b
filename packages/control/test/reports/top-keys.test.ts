import { afterEach, describe, expect, it, vi } from 'vitest'

import { type Policy, RateLimiter } from '@halt/core'
import { Control, TopKeys } from '../../src/index.ts'
import type { Store } from '@halt/core/store'
import { fakeOutage, ReferenceStore } from '@halt/core/testing'
import { TopTables } from '../../src/reports/top-tables.ts'
import { by, keyed, mistake, rejection, START, times, view, world } from '../../../core/test/world.ts'

const api: Policy = { name: 'api', limit: 2, window: 60 }
const open: TopKeys[] = []
afterEach(async () => {
  for (const topKeys of open.splice(0)) await topKeys.close()
  vi.useRealTimers()
})

function make(options?: ConstructorParameters<typeof TopKeys>[0]): TopKeys {
  const topKeys = new TopKeys(options)
  open.push(topKeys)
  return topKeys
}

/** A process of its own: a limiter with its lists, on a store that others share. */
function counting(store: Store = new ReferenceStore(() => START)) {
  const topKeys = make({ store, warn: () => {} })
  return { topKeys, limiter: new RateLimiter({ store, policy: api, telemetry: topKeys, warn: () => {} }) }
}

describe('local', () => {
  it('local() lists the keys that are used most and refused most, by policy', async () => {
    const topKeys = make()
    const perUser: Policy = { name: 'per_user', limit: 3, window: 60, keyStrategy: 'user' }
    const limiter = world().limiter([{ ...api, limit: 100 }, perUser], { telemetry: topKeys })
    await times(5, limiter, by('42'))
    await times(1, limiter, by('7'))
    const { used, refused, processes } = topKeys.local()
    expect(processes).toBe(1)
    expect(used).toEqual([
      { policy: 'api', key: 'ip:203.0.113.7', count: 4, error: 0 },
      { policy: 'per_user', key: 'user:42', count: 3, error: 0 },
      { policy: 'per_user', key: 'user:7', count: 1, error: 0 },
    ])
    expect(refused).toEqual([{ policy: 'per_user', key: 'user:42', count: 2, error: 0 }])
    expect(topKeys.local(1).used).toHaveLength(2)
  })

  it('local() lists clients that an operator has blocked, and never an API key in clear', async () => {
    const topKeys = make()
    const { store, limiter } = world()
    const control = new Control({ store })
    await control.block({ user: '42' })
    const own = limiter({ ...api, keyStrategy: 'api-key' }, { telemetry: topKeys, control })
    await own.check(by('42'))
    await own.check(keyed('very-secret'))
    control.close()
    expect(topKeys.local().refused).toMatchObject([{ policy: 'api', key: 'user:42', count: 1 }])
    expect(JSON.stringify(topKeys.local())).not.toContain('very-secret')
  })

  it('local() counts no refusal of a shadow policy', async () => {
    const topKeys = make()
    const limiter = world().limiter(
      [
        { ...api, limit: 9 },
        { ...api, name: 'trial', mode: 'shadow' },
      ],
      {
        telemetry: topKeys,
      },
    )
    await times(4, limiter)
    expect(topKeys.local().refused).toEqual([])
  })

  it('local() forgets keys after one to two minutes', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const topKeys = make()
    const limiter = world().limiter(api, { telemetry: topKeys })
    const addresses = (): string[] =>
      topKeys
        .local()
        .used.map(({ key }) => key.slice(3))
        .toSorted()
    await limiter.check(view({ ip: '203.0.113.1' }))
    vi.setSystemTime(START + 61_000)
    await limiter.check(view({ ip: '203.0.113.2' }))
    expect(addresses()).toEqual(['203.0.113.1', '203.0.113.2'])
    vi.setSystemTime(START + 121_000)
    expect(addresses()).toEqual(['203.0.113.2'])
    vi.setSystemTime(START + 400_000)
    expect(addresses()).toEqual([])
  })

  it('local() finds a busy key in a flood of others over two windows, and its bounds hold', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const topKeys = make({ counters: 50 })
    const limiter = world().limiter({ ...api, keyStrategy: 'user', limit: 1e6 }, { telemetry: topKeys })
    for (const minute of [0, 1]) {
      vi.setSystemTime(START + minute * 61_000)
      for (let i = 0; i < 2_000; i++) {
        await limiter.check(by(`stranger ${minute} ${i}`))
        if (i % 20 === 0) await limiter.check(by('busy'))
      }
    }
    const [first] = topKeys.local(1).used
    expect(first?.key).toBe('user:busy')
    expect(first?.count).toBeGreaterThanOrEqual(200)
    expect((first?.count ?? 0) - (first?.error ?? 0)).toBeLessThanOrEqual(200)
  })

  it('local() counts the policies beyond the maximum together', async () => {
    const topKeys = make({ maxPolicies: 1 })
    const limiter = world().limiter([api, { ...api, name: 'b' }, { ...api, name: 'c' }], {
      telemetry: topKeys,
    })
    await limiter.check(view())
    expect(topKeys.local().used.map(({ policy, count }) => [policy, count])).toEqual([
      ['other', 2],
      ['api', 1],
    ])
  })
})

it('keys are ordered by what is certain of them', () => {
  const tables = new TopTables(3)
  // "d" takes the place of "c", the rarest key, with its count.
  for (const key of 'a a a b b b b c c d d'.split(' ')) tables.add('api', key, 0)
  expect(tables.top(3, 0)).toEqual([
    { policy: 'api', key: 'b', count: 4, error: 0 },
    { policy: 'api', key: 'a', count: 3, error: 0 },
    { policy: 'api', key: 'd', count: 4, error: 2 },
  ])
})

it('TopKeys counts the tenants of a shared counter by what they got, and by their refusals', async () => {
  const { clock, limiter: make } = world()
  const topKeys = new TopKeys()
  const shared = { name: 'backend', limit: 600, window: 60, burst: 1000, keyStrategy: 'shared' } as const
  const limiter = make({ ...shared, fair: { by: 'user' } }, { telemetry: topKeys })
  while ((await limiter.check(by('loud'))).allowed);
  clock.advance(2)
  await limiter.check(by('loud'))
  for (let i = 0; i < 3; i++) await limiter.check(by('quiet'))
  const { used, refused } = topKeys.local()
  expect(used.map(({ policy, key }) => [policy, key])).toEqual([
    ['backend', 'user:loud'],
    ['backend', 'user:quiet'],
  ])
  expect(used[1]!.count).toBe(3)
  expect(refused.map(({ key }) => key)).toEqual(['user:loud'])
  await topKeys.close()
})

describe('merged', () => {
  it('merged() adds up the keys of all processes', async () => {
    vi.useFakeTimers({ now: START })
    const store = new ReferenceStore(() => START)
    const [here, there] = [counting(store), counting(store)]
    await times(3, here.limiter)
    await times(2, there.limiter)
    await there.limiter.check(view({ ip: '203.0.113.9' }))
    await vi.advanceTimersByTimeAsync(5_000)
    const reader = make({ store })
    for (const topKeys of [here.topKeys, there.topKeys, reader])
      expect(await topKeys.merged()).toEqual({
        processes: 2,
        used: [
          { policy: 'api', key: 'ip:203.0.113.7', count: 2, error: 0 },
          { policy: 'api', key: 'ip:203.0.113.9', count: 1, error: 0 },
        ],
        refused: [{ policy: 'api', key: 'ip:203.0.113.7', count: 3, error: 0 }],
      })
    await here.topKeys.close()
    expect((await reader.merged()).processes).toBe(1)
  })

  it('merged() equals local() without a store', async () => {
    const topKeys = make()
    await times(3, world().limiter(api, { telemetry: topKeys }))
    expect(await topKeys.merged()).toEqual(topKeys.local())
  })

  it('merged() believes nothing of other processes that is broken', async () => {
    const store = new ReferenceStore(() => START)
    const rows = [
      ['api', 'ip:203.0.113.1', 5, 0],
      ['api', 'ip:203.0.113.2', -5, 0],
      ['api', 'x'.repeat(301), 5, 0],
      ['api', 'k', 5, 6],
      ['', 'k', 5, 0],
      5,
    ]
    const texts = ['oops', '5', 'null', JSON.stringify({ used: rows, refused: 'none' })]
    const reports = texts.map((text, i) => ({ process: `p${i}`, at: Date.now(), text }))
    await store.document('top-keys').write(JSON.stringify({ halt: 1, reports }), '0')
    expect(await make({ store }).merged()).toEqual({
      processes: 4,
      used: [{ policy: 'api', key: 'ip:203.0.113.1', count: 5, error: 0 }],
      refused: [],
    })
  })

  it('a report shares the first keys of every policy in at most 8 000 characters', async () => {
    vi.useFakeTimers({ now: START })
    const store = new ReferenceStore(() => START)
    const topKeys = make({ store })
    const policies = ['a', 'b'].map((name): Policy => ({ ...api, name, keyStrategy: 'user' }))
    const own = new RateLimiter({ store, policy: policies, telemetry: topKeys, warn: () => {} })
    for (let i = 0; i < 200; i++) await times(2, own, by(`${'u'.repeat(100)}${i}`))
    await vi.advanceTimersByTimeAsync(5_000)
    expect((await store.document('top-keys').read())?.text.length).toBeLessThan(10_000)
    const { used } = await make({ store }).merged(50)
    expect(new Set(used.map(({ policy }) => policy))).toEqual(new Set(['a', 'b']))
  })
})

describe('sharing', () => {
  it('TopKeys writes at most every five seconds, and stops when no requests come', async () => {
    vi.useFakeTimers({ now: START })
    const store = new ReferenceStore(() => START)
    const { limiter } = counting(store)
    const version = async (): Promise<number> =>
      Number.parseInt((await store.document('top-keys').read())?.version ?? '0', 10)
    for (let i = 0; i < 10; i++) {
      await limiter.check(view())
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect(await version()).toBe(2)
    await vi.advanceTimersByTimeAsync(150_000)
    const last = await version()
    expect(last).toBeLessThan(12)
    await vi.advanceTimersByTimeAsync(600_000)
    expect(await version()).toBe(last)
    expect(vi.getTimerCount()).toBe(0)
    await limiter.check(view())
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await version()).toBe(last + 1)
  })

  it('others see the keys of a process without requests until it forgets them', async () => {
    vi.useFakeTimers({ now: START })
    const store = new ReferenceStore(() => START)
    await counting(store).limiter.check(view())
    const reader = make({ store })
    const seen: number[] = []
    for (let i = 0; i < 3; i++) {
      await vi.advanceTimersByTimeAsync(55_000)
      seen.push((await reader.merged()).used.length)
    }
    expect(seen).toEqual([1, 1, 0])
  })

  it('a request right after the sharing has stopped starts it again', async () => {
    vi.useFakeTimers({ now: START })
    const store = new ReferenceStore(() => START)
    const { limiter } = counting(store)
    await limiter.check(view())
    await vi.advanceTimersByTimeAsync(121_000)
    expect(vi.getTimerCount()).toBe(0)
    await limiter.check(view({ ip: '203.0.113.9' }))
    await vi.advanceTimersByTimeAsync(5_000)
    expect((await make({ store }).merged()).used).toMatchObject([{ key: 'ip:203.0.113.9' }])
  })

  it.each([
    [15, 6],
    [16, 3],
  ])('TopKeys beside %i other processes writes %i times in 30 seconds', async (others, count) => {
    vi.useFakeTimers({ now: START })
    const store = new ReferenceStore(() => START)
    const reports = Array.from({ length: others }, (_, i) => ({ process: `p${i}`, at: START, text: '{}' }))
    let version = await store.document('top-keys').write(JSON.stringify({ halt: 1, reports }), '0')
    const { limiter } = counting(store)
    let writes = 0
    for (let i = 0; i < 30; i++) {
      await limiter.check(view())
      await vi.advanceTimersByTimeAsync(1_000)
      const now = (await store.document('top-keys').read())?.version
      if (now !== version) writes++
      version = now
    }
    expect(writes).toBe(count)
  })

  it('close() ends the sharing, and a later request does not start it again', async () => {
    vi.useFakeTimers({ now: START })
    const { topKeys, limiter } = counting()
    await limiter.check(view())
    await topKeys.close()
    await limiter.check(view())
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each(['refused', 'hanging'] as const)(
    'a store that is away for TopKeys alone changes no decision, and delays none: %s',
    async outage => {
      vi.useFakeTimers({ now: START })
      const store = fakeOutage(new ReferenceStore(() => START))
      const topKeys = make({ store, warn: () => {} })
      const limiter = world().limiter({ ...api, limit: 4 }, { telemetry: topKeys })
      await limiter.check(view())
      store.begin(outage)
      const decisions = await times(2, limiter)
      await vi.advanceTimersByTimeAsync(20_000)
      decisions.push(...(await times(2, limiter)))
      expect(decisions.map(({ allowed, degraded, remaining }) => [allowed, degraded, remaining])).toEqual([
        [true, false, 2],
        [true, false, 1],
        [true, false, 0],
        [false, false, 0],
      ])
      expect(topKeys.local().refused).toMatchObject([{ policy: 'api', count: 1 }])
      store.end()
    },
  )

  it('merged() rejects while the store is away, and local() goes on', async () => {
    vi.useFakeTimers({ now: START })
    const store = fakeOutage(new ReferenceStore(() => START))
    const { topKeys, limiter } = counting(store)
    await limiter.check(view())
    store.begin('refused')
    await vi.advanceTimersByTimeAsync(20_000)
    await expect(rejection(topKeys.merged())).resolves.toMatchObject({ code: 'HALT_E_STORE' })
    expect(topKeys.local().used).toHaveLength(1)
    store.end()
    await vi.advanceTimersByTimeAsync(20_000)
    expect((await make({ store }).merged()).processes).toBe(1)
  })
})

it('TopKeys refuses wrong options', () => {
  const wrong = [
    { counters: 9 },
    { counters: 100_001 },
    { maxPolicies: 0 },
    { maxPolicies: 1001 },
    { store: {} as never },
  ]
  for (const options of [
    { counters: 10, maxPolicies: 1 },
    { counters: 100_000, maxPolicies: 1000 },
  ])
    make(options)
  for (const options of wrong) expect(mistake(() => new TopKeys(options)).code).toBe('HALT_E_OPTION')
  expect(mistake(() => new TopKeys({ every: 'soon' })).code).toBe('HALT_E_DURATION')
  expect(mistake(() => new TopKeys({ top: 5 } as never)).code).toBe('HALT_E_UNKNOWN_FIELD')
})
