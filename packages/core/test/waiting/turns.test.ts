import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { LimitedError, Policy } from '../../src/index.ts'
import { Mode, type Store } from '../../src/databases/index.ts'
import { waitingRoom } from '../../src/waiting/lines.ts'
import { mistake, rejection, view } from '../world.ts'
import { answering } from './answering.ts'
import { otherProcess, passingWorld } from './passing-world.ts'

const api: Policy = { name: 'api', limit: 10, window: 1, burst: 1 }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => {
  vi.useRealTimers()
  const { size, alarms } = waitingRoom
  if (size + alarms.size > 0) throw new Error(`${size} callers and ${alarms.size} alarms were left behind.`)
})

describe('callers of a token bucket', () => {
  it('callers of a bucket start in order, each at its exact instant, with one store call each', async () => {
    const { limiter, store, acquire, pass, starts } = passingWorld()
    const evaluate = vi.spyOn(store, 'evaluate')
    const own = limiter(api)
    for (let i = 0; i < 40; i++) void acquire(own, 's', i)
    await pass(4000)
    expect(starts.map(({ name }) => name)).toEqual(Array.from({ length: 40 }, (_, i) => i))
    expect(starts.map(({ at }) => at)).toEqual(Array.from({ length: 40 }, (_, i) => i * 100))
    expect(starts.map(({ decision }) => decision.waitedMs)).toEqual(starts.map(({ at }) => at))
    // Beside that, the process looks once a second.
    expect(evaluate.mock.calls.filter(([{ demands }]) => demands[0]?.cost === 1)).toHaveLength(40)
  })

  for (const beside of [
    undefined,
    { name: 'window', limit: 100, window: 60, algorithm: 'fixed-window' },
    { name: 'slower', limit: 5, window: 1, burst: 1 },
  ] as const)
    it(`a caller that may wait exactly as long as it must starts, though the store takes its time: ${beside?.name}`, async () => {
      const { limiter, store, acquire, pass, starts, refused } = passingWorld()
      const own = limiter(beside === undefined ? api : [api, beside], { store: answering(store, 20) })
      const each = beside?.name === 'slower' ? 200 : 100
      for (let i = 0; i < 4; i++) void acquire(own, 's', i, { maxWait: `${Math.max(1, each * i)}ms` })
      await pass(1000)
      expect([starts.map(({ name }) => name), refused]).toEqual([[0, 1, 2, 3], []])
    })

  it('the decision of a caller that waited tells what is left and when all is back as of its start', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const shown: Policy = { ...api, name: 'shown', burst: 10, mode: 'shadow' }
    const own = limiter([{ ...api, limit: 1 }, shown])
    for (let i = 0; i < 3; i++) void acquire(own, 's', i)
    await pass(3000)
    const began = starts[0]!.decision.resetAt - 1
    expect(starts.map(({ decision }) => decision.resetAt - began)).toEqual([1, 2, 3])
    // All three have asked at once, and what they took is back.
    expect(starts.map(({ decision }) => decision.verdicts[1]!.remaining)).toEqual([9, 10, 10])
  })

  it('a caller whose place the store tells late is not sent away before its turn', async () => {
    const { limiter, store, acquire, pass, starts, refused } = passingWorld()
    const own = limiter({ ...api, limit: 1 }, { store: answering(store, 90) })
    for (let i = 0; i < 2; i++) void acquire(own, 's', i, { maxWait: '1s' })
    await pass(2000)
    expect([starts.length, refused]).toEqual([2, []])
  })

  it('a caller starts at once where the bucket has room, and has waited 0 ms', async () => {
    const { limiter } = passingWorld()
    const decision = await limiter({ ...api, burst: 5 }).acquire('s')
    expect(decision).toMatchObject({ allowed: true, waitedMs: 0, remaining: 4 })
  })

  it('a caller that would wait longer than maxWait is refused at once and charged nothing', async () => {
    const { limiter, acquire, pass, starts, refused } = passingWorld()
    const own = limiter(api)
    for (let i = 0; i < 5; i++) void acquire(own, 's', i, { maxWait: '250ms' })
    await pass(0)
    expect(refused.map(({ name, at }) => [name, at])).toEqual([
      [3, 0],
      [4, 0],
    ])
    expect(refused[0]?.decision).toMatchObject({ reason: 'limited', retryAfterMs: 300 })
    await pass(200)
    expect(starts).toHaveLength(3)
    await pass(100)
    expect((await own.consume('s')).allowed).toBe(true)
  })

  it('callers of a bucket are not overtaken by a check', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const own = limiter(api)
    for (let i = 0; i < 3; i++) void acquire(own, 's', i)
    await pass(150)
    expect((await own.consume('s')).allowed).toBe(false)
    await pass(50)
    expect(starts).toHaveLength(3)
    expect(await own.consume('s')).toMatchObject({ allowed: false, retryAfterMs: 100 })
  })

  it('a caller with a cost takes as many units', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const own = limiter({ ...api, burst: 10 })
    void acquire(own, 's', 'large', { cost: 10 })
    void acquire(own, 's', 'next', { cost: 5 })
    await pass(600)
    expect(starts.map(({ name, at }) => [name, at])).toEqual([
      ['large', 0],
      ['next', 500],
    ])
  })

  it('a caller whose cost is above the capacity is refused for ever and at once', async () => {
    const { limiter } = passingWorld()
    const decision = await limiter(api).acquire('s', { cost: 2 })
    expect(decision).toMatchObject({ allowed: false, reason: 'cost-exceeds-limit', retryAfter: Infinity })
  })

  it('a caller never waits for a policy in shadow mode', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const own = limiter({ ...api, mode: 'shadow' })
    for (let i = 0; i < 3; i++) void acquire(own, 's', i)
    await pass(0)
    expect(starts.map(({ at }) => at)).toEqual([0, 0, 0])
  })

  it('a request waits for its turn as an identity does', async () => {
    const { limiter, pass } = passingWorld()
    const own = limiter(api)
    const turns = [own.acquire(view()), own.acquire(view())]
    await pass(100)
    expect((await Promise.all(turns)).map(({ waitedMs }) => waitedMs)).toEqual([0, 100])
  })
})

describe('a caller that gives up', () => {
  it('a caller that gives up rejects with the reason of the signal, and the callers behind it move up', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const own = limiter(api)
    const [gone, later] = [new AbortController(), acquire(own, 's', 0)]
    const turn = own.acquire('s', { signal: gone.signal })
    for (const name of [2, 3]) void acquire(own, 's', name)
    await later
    await pass(50)
    gone.abort(new Error('not needed any more'))
    await expect(turn).rejects.toThrow('not needed any more')
    void acquire(own, 's', 4)
    await pass(400)
    expect(starts.map(({ name, at }) => [name, at])).toEqual([
      [0, 0],
      [2, 100],
      [3, 200],
      [4, 300],
    ])
  })

  it('a caller that gives up in the turn in which it asked leaves no place behind', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const own = limiter(api)
    await acquire(own, 's', 0)
    const gone = new AbortController()
    const turn = own.acquire('s', { signal: gone.signal })
    void acquire(own, 's', 2)
    gone.abort()
    await expect(turn).rejects.toThrow('aborted')
    await pass(100)
    expect(starts.map(({ name, at }) => [name, at])).toEqual([
      [0, 0],
      [2, 100],
    ])
  })

  it('a caller whose signal is aborted already is not asked for', async () => {
    const { limiter, store } = passingWorld()
    const evaluate = vi.spyOn(store, 'evaluate')
    await expect(limiter(api).acquire('s', { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
    expect(evaluate).not.toHaveBeenCalled()
  })

  it('a caller that gives up moves up those of another process, as soon as that process has looked', async () => {
    const { store, limiter, acquire, pass, starts } = passingWorld()
    // Another process is another line: a store of its own in front of the same counters.
    const perSecond: Policy = { name: 'api', limit: 1, window: 1 }
    const [here, there] = [limiter(perSecond), limiter(perSecond, { store: otherProcess(store) })]
    await acquire(here, 's', 0)
    const gone = new AbortController()
    const turn = here.acquire('s', { signal: gone.signal })
    await pass(0)
    void acquire(there, 's', 'there')
    await pass(0)
    gone.abort()
    await expect(turn).rejects.toThrow('aborted')
    void acquire(here, 's', 'here')
    await pass(3000)
    expect(starts.map(({ name, at }) => [name, at])).toEqual([
      [0, 0],
      ['there', 1000],
      ['here', 2000],
    ])
  })

  it('a caller of a process that has not heard of a departure starts no earlier than told', async () => {
    const { store, limiter, acquire, pass, starts } = passingWorld()
    const [here, there] = [limiter(api), limiter(api, { store: otherProcess(store) })]
    await acquire(here, 's', 0)
    const gone = new AbortController()
    const turn = here.acquire('s', { signal: gone.signal })
    await pass(0)
    void acquire(there, 's', 'there')
    await pass(0)
    gone.abort()
    await expect(turn).rejects.toThrow('aborted')
    await pass(400)
    expect(starts.map(({ name, at }) => [name, at])).toEqual([
      [0, 0],
      ['there', 200],
    ])
  })
})

describe('a counter that is paused meanwhile', () => {
  it('a pause freezes its line: nobody asks again, and all start as much later, in order', async () => {
    const { limiter, store, acquire, pass, starts } = passingWorld()
    const own = limiter(api)
    for (let i = 0; i < 3; i++) void acquire(own, 's', i)
    await pass(50)
    await own.pause('s', { for: '1s' })
    const evaluate = vi.spyOn(store, 'evaluate')
    await pass(1500)
    expect(starts.map(({ name, at }) => [name, at])).toEqual([
      [0, 0],
      [1, 1100],
      [2, 1200],
    ])
    for (const [{ demands }] of evaluate.mock.calls) expect(demands[0]?.mode).toBe(Mode.LOOK)
  })

  it('a pause by another process is heard of by a look a second, one for all callers', async () => {
    const { store, limiter, acquire, pass, starts } = passingWorld()
    const evaluate = vi.fn<Store['evaluate']>(async group => store.evaluate(group))
    const slow: Policy = { name: 'api', limit: 1, window: 10 }
    const here = limiter(slow, { store: { ...otherProcess(store), evaluate }, storeTimeout: '1h' })
    const there = limiter(slow)
    for (let i = 0; i < 3; i++) void acquire(here, 's', i)
    await pass(1500)
    await there.pause('s', { for: '20s' })
    await pass(38_500)
    // 8.5 s were left of the wait of the first, when the pause began.
    expect(starts.map(({ name, at }) => [name, at])).toEqual([
      [0, 0],
      [1, 30_000],
    ])
    await pass(10)
    expect(evaluate.mock.calls.length).toBeLessThanOrEqual(3 + 40)
    here.close().catch(() => {})
    await pass(10)
  })

  it('a process does not look for a pause where starts bring news oftener than once a second', async () => {
    const { store, limiter, acquire, pass, starts } = passingWorld()
    const evaluate = vi.fn<Store['evaluate']>(async group => store.evaluate(group))
    const own = limiter(api, { store: { ...otherProcess(store), evaluate }, storeTimeout: '1h' })
    for (let i = 0; i < 40; i++) {
      void acquire(own, 's', i)
      await pass(50)
    }
    expect(evaluate).toHaveBeenCalledTimes(40)
    await pass(2000)
    expect(starts).toHaveLength(40)
    // Nobody asks any more: one look a second.
    expect(evaluate.mock.calls.length).toBeLessThanOrEqual(42)
  })

  it('a pause without an end lasts until it is ended, and those who wait go on in their order', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const own = limiter(api)
    for (let i = 0; i < 3; i++) void acquire(own, 's', i, { maxWait: '1h' })
    await pass(50)
    await own.pause('s')
    await pass(60_000)
    expect(starts).toHaveLength(1)
    await own.resume('s')
    await pass(500)
    expect(starts.map(({ name, at }) => [name, at])).toEqual([
      [0, 0],
      [1, 60_100],
      [2, 60_200],
    ])
  })

  it('a pause that another process ends is over at the next look', async () => {
    const { store, limiter, acquire, pass, starts } = passingWorld()
    const slow: Policy = { name: 'api', limit: 1, window: 10 }
    const here = limiter(slow, { store: otherProcess(store), storeTimeout: '1h' })
    const there = limiter(slow)
    for (let i = 0; i < 3; i++) void acquire(here, 's', i, { maxWait: '1h' })
    await pass(1500)
    await there.pause('s')
    await pass(20_000)
    await there.resume('s')
    await pass(20_000)
    expect(starts.map(({ name, at }) => [name, at])).toEqual([
      [0, 0],
      [1, 30_000],
      [2, 40_000],
    ])
    await pass(10_000)
    expect((await there.explain('s')).policies[0]?.line).toBeUndefined()
    here.close().catch(() => {})
    await pass(10)
  })

  it('the end of a pause forgets no count', async () => {
    const { limiter, pass } = passingWorld()
    for (const algorithm of ['token-bucket', 'fixed-window', 'sliding-window'] as const) {
      const own = limiter({ name: algorithm, limit: 2, window: '30d', algorithm })
      await own.consume('s')
      await own.pause('s')
      await pass(5000)
      expect((await own.consume('s')).allowed).toBe(false)
      await own.resume('s')
      expect((await own.consume('s')).allowed).toBe(true)
      expect((await own.consume('s')).allowed).toBe(false)
    }
  })

  it('a pause refuses callers when they have waited as long as they want, and frees their places', async () => {
    const { limiter, acquire, pass, starts, refused } = passingWorld()
    const own = limiter(api)
    for (let i = 0; i < 2; i++) void acquire(own, 's', i, { maxWait: '500ms' })
    await pass(50)
    await own.pause('s', { for: '1s' })
    await pass(500)
    expect(starts).toHaveLength(1)
    expect(refused.map(({ name, at, decision }) => [name, at, decision.reason])).toEqual([
      [1, 500, 'limited'],
    ])
    expect((await own.explain('s')).policies[0]?.line).toBeUndefined()
  })
})

describe('callers of several policies', () => {
  it('a caller of several policies gets all or none', async () => {
    const { limiter, acquire, pass, starts, refused } = passingWorld()
    const own = limiter([api, { name: 'minute', limit: 3, window: 60 }])
    for (let i = 0; i < 5; i++) void acquire(own, 's', i, { maxWait: '1s' })
    await pass(300)
    expect(starts.map(({ at }) => at)).toEqual([0, 100, 200])
    expect(refused.map(({ name }) => name)).toEqual([3, 4])
    expect((await own.peek('s', { policy: api })).remaining).toBe(1)
  })

  it('a caller of two buckets stands in the line of the slow one alone, and holds up nobody in the other', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const own = limiter([
      { name: 'all', limit: 1000, window: 1, burst: 1, keyStrategy: 'shared' },
      { name: 'each', limit: 1, window: 1, keyStrategy: 'user' },
    ])
    for (const [i, user] of ['a', 'a', 'b'].entries()) void acquire(own, { user }, `${user}${i}`)
    await pass(1100)
    expect(starts.map(({ name, at }) => [name, at])).toEqual([
      ['a0', 0],
      ['b2', 1],
      ['a1', 1000],
    ])
  })

  it('a caller of two buckets is charged in the fast one when it starts', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const all: Policy = { name: 'all', limit: 10, window: 1, burst: 1, keyStrategy: 'shared' }
    const own = limiter([all, { name: 'each', limit: 1, window: 1, keyStrategy: 'user' }])
    for (const [i, user] of ['a', 'a'].entries()) void acquire(own, { user }, `${user}${i}`)
    await pass(1000)
    expect(starts.map(({ at }) => at)).toEqual([0, 1000])
    expect(await own.peek('b', { policy: all })).toMatchObject({ remaining: 0, retryAfterMs: 100 })
  })
})

describe('callers that leave a share to others', () => {
  it('callers that leave a share take no places, so that a more important caller does not stand behind them', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const own = limiter({ name: 'model', limit: 10, window: 1, burst: 4, headroom: 0.5 })
    const important = { policy: { name: 'model', limit: 10, window: 1, burst: 4 } } as const
    for (let i = 0; i < 4; i++) void acquire(own, 's', `batch ${i}`)
    await pass(50)
    void acquire(own, 's', 'important 1', important)
    void acquire(own, 's', 'important 2', important)
    await pass(500)
    expect(starts.map(({ name, at }) => [name, at])).toEqual([
      ['batch 0', 0],
      ['batch 1', 0],
      ['important 1', 50],
      ['important 2', 50],
      ['batch 2', 300],
      ['batch 3', 400],
    ])
  })
})

describe('callers of windows', () => {
  for (const algorithm of ['fixed-window', 'sliding-window'] as const)
    it(`callers of a window wait for the exact instant, and ask in order: ${algorithm}`, async () => {
      const { limiter, acquire, pass, starts } = passingWorld()
      const own = limiter({
        name: 'w',
        limit: 2,
        window: 1,
        algorithm,
        ...(algorithm === 'sliding-window' ? { precision: 10 } : {}),
      })
      for (let i = 0; i < 5; i++) void acquire(own, 's', i)
      await pass(3000)
      const edge = algorithm === 'fixed-window' ? 1000 : 1100
      expect(starts.map(({ name, at }) => [name, at])).toEqual([
        [0, 0],
        [1, 0],
        [2, edge],
        [3, edge],
        [4, 2 * edge],
      ])
    })

  it('callers of a window are not overtaken by a caller of this process that comes later', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const own = limiter({ name: 'w', limit: 1, window: 1, algorithm: 'fixed-window' })
    for (let i = 0; i < 2; i++) void acquire(own, 's', i)
    await pass(1000)
    void acquire(own, 's', 2)
    await pass(1000)
    expect(starts.map(({ name, at }) => [name, at])).toEqual([
      [0, 0],
      [1, 1000],
      [2, 2000],
    ])
  })

  it('callers of a window are not overtaken by one that comes while the store is asked for them', async () => {
    const { limiter, store, acquire, pass, starts } = passingWorld()
    const policy = { name: 'w', limit: 3, window: 1, algorithm: 'fixed-window' } as const
    const own = limiter(policy, { store: answering(store, 20), storeTimeout: '1s' })
    for (const name of ['first', 'second', 'third']) void acquire(own, 's', name, { cost: 2 })
    await pass(1050)
    // The second has started, and the store is asked for the third.
    expect(starts.map(({ name }) => name)).toEqual(['first', 'second'])
    void acquire(own, 's', 'late', { maxWait: '10s' })
    await pass(1100)
    expect(starts.map(({ name }) => name)).toEqual(['first', 'second', 'third', 'late'])
  })

  it('callers of a window start no cool-down and score no violation while they wait', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const penalty = { threshold: 1, duration: 60, multiplier: 0.5, recordOn: 'limited' } as const
    const policy = { name: 'w', limit: 1, window: 1, algorithm: 'fixed-window', blockDuration: '1m' } as const
    const own = limiter(policy, { penalty })
    for (let i = 0; i < 3; i++) void acquire(own, 's', i)
    await pass(2000)
    expect(starts.map(({ at }) => at)).toEqual([0, 1000, 2000])
  })

  it('callers of a window are refused when they have waited as long as they want', async () => {
    const { limiter, acquire, pass, refused } = passingWorld()
    const own = limiter({ name: 'w', limit: 1, window: 1, algorithm: 'fixed-window' })
    for (let i = 0; i < 4; i++) void acquire(own, 's', i, { maxWait: '1500ms' })
    await pass(1600)
    expect(refused.map(({ name }) => name)).toEqual([2, 3])
  })
})

describe('callers of a concurrency policy', () => {
  const calls: Policy = { name: 'calls', limit: 1, algorithm: 'concurrency', ttl: 60 }

  it('callers of a concurrency policy start as soon as a place is released in this process, in order', async () => {
    const { limiter, pass, now } = passingWorld()
    const own = limiter(calls)
    const seen: [number, number][] = []
    const work = async (i: number): Promise<void> => {
      seen.push([i, now()])
      await new Promise(done => setTimeout(done, 7))
    }
    const runs = [0, 1, 2].map(i => own.run('s', () => work(i)))
    await pass(30)
    await Promise.all(runs)
    expect(seen).toEqual([
      [0, 0],
      [1, 7],
      [2, 14],
    ])
  })

  it('a caller asks at most every 50 ms for a place that another process releases', async () => {
    const { limiter, store, acquire, pass, starts } = passingWorld()
    const other = otherProcess(store)
    const [here, there] = [limiter(calls), limiter(calls, { store: other })]
    const busy = await there.consume('s')
    const evaluate = vi.spyOn(store, 'evaluate')
    void acquire(here, 's', 0)
    await pass(120)
    expect(evaluate).toHaveBeenCalledTimes(3)
    await there.release(busy)
    await pass(50)
    expect(starts.map(({ at }) => at)).toEqual([150])
    await here.release(starts[0]!.decision)
  })
})

describe('run', () => {
  it('run gives the result of the work, and its error', async () => {
    const { limiter } = passingWorld()
    const own = limiter({ name: 'c', limit: 1, algorithm: 'concurrency', ttl: 60 })
    expect(await own.run('s', ({ policy }) => policy)).toBe('c')
    await expect(
      own.run('s', () => {
        throw new Error('broken')
      }),
    ).rejects.toThrow('broken')
    expect(await own.run('s', () => 'free again')).toBe('free again')
  })

  it('run rejects with the decision if the caller is refused, and does not run the work', async () => {
    const { limiter } = passingWorld()
    const work = vi.fn<() => void>()
    const error: LimitedError = await limiter(api)
      .run('s', work, { cost: 2 })
      .then(undefined, (thrown: unknown) => thrown as LimitedError)
    expect(error).toMatchObject({ code: 'HALT_E_LIMITED', decision: { reason: 'cost-exceeds-limit' } })
    expect(work).not.toHaveBeenCalled()
  })
})

describe('the bounds of waiting', () => {
  it('mostWaiting refuses a further caller at once', async () => {
    const { limiter, acquire, pass, starts, refused } = passingWorld()
    const own = limiter(api, { mostWaiting: 2 })
    for (let i = 0; i < 4; i++) void acquire(own, 's', i)
    expect(own.waiting).toBe(2)
    await pass(200)
    expect(own.waiting).toBe(0)
    expect(starts.map(({ name }) => name)).toEqual([0, 1, 2])
    expect(refused.map(({ name, at }) => [name, at])).toEqual([[3, 0]])
  })

  it('close() sends every caller away and gives its place back', async () => {
    const { limiter, store, pass } = passingWorld()
    const own = limiter(api)
    await own.acquire('s')
    const turn = rejection(own.acquire('s'))
    await pass(10)
    await own.close()
    expect((await turn).code).toBe('HALT_E_CLOSED')
    expect((await limiter(api, { store }).peek('s')).retryAfterMs).toBe(90)
  })

  for (const maxWait of [0, -1, Number.NaN, '25h', 'soon', null])
    it(`a maxWait of ${String(maxWait)} is refused as a mistake`, async () => {
      const { limiter } = passingWorld()
      expect((await rejection(limiter(api).acquire('s', { maxWait: maxWait as never }))).code).toBe(
        'HALT_E_MAX_WAIT',
      )
    })

  it('mistakes in a call and in the options reject with their codes', async () => {
    const { limiter } = passingWorld()
    const own = limiter(api)
    expect((await rejection(own.acquire('s', { signal: {} as never }))).code).toBe('HALT_E_OPTION')
    expect((await rejection(own.acquire('s', { wait: 1 } as never))).code).toBe('HALT_E_UNKNOWN_FIELD')
    expect((await rejection(own.run('s', 1 as never))).code).toBe('HALT_E_OPTION')
    expect((await rejection(own.pause('s', { for: 'soon' }))).code).toBe('HALT_E_DURATION')
    expect((await rejection(own.pause('s', null as never))).code).toBe('HALT_E_OPTION')
    expect((await rejection(own.resume('s', { for: 5 } as never))).code).toBe('HALT_E_UNKNOWN_FIELD')
    expect((await rejection(own.pause('s', { until: 5 } as never))).code).toBe('HALT_E_UNKNOWN_FIELD')
    expect(mistake(() => limiter(api, { mostWaiting: -1 })).code).toBe('HALT_E_OPTION')
    expect(mistake(() => limiter({ ...api, headroom: 2 })).code).toBe('HALT_E_HEADROOM')
  })
})
