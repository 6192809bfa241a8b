import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { QuotaManager, type Quota, type RateLimiterOptions } from '../../src/index.ts'
import { START, world } from '../world.ts'

const day: Quota = { name: 'day', limit: 1000, period: 'daily' }
const alice = { user: '42' }

beforeEach(() =>
  vi.useFakeTimers({ now: START, toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }),
)
afterEach(() => vi.useRealTimers())

/** A budget on the manual clock, and a process whose timers run with that clock. */
function process(options: Partial<RateLimiterOptions> = {}) {
  const own = world()
  const limiter = own.limiter(day, options)
  const quotas = new QuotaManager(own.store)
  return {
    ...own,
    limiter,
    asked: vi.spyOn(own.store, 'evaluate'),
    /** Time passes, and the process runs. */
    async run(seconds: number): Promise<void> {
      for (let i = 0; i < seconds * 10; i++) {
        own.clock.advance('100ms')
        await vi.advanceTimersByTimeAsync(100)
      }
    },
    async read(): Promise<number[]> {
      const { used, held, remaining } = (await quotas.checkQuota('42', day)).quota
      return [used, held, remaining]
    },
  }
}

describe('a process keeps the units of its open calls held', () => {
  it('a process keeps the units of a call held for as long as the call lasts, and settles them in the end', async () => {
    const { limiter, run, read } = process()
    const call = await limiter.reserve(alice, { cost: 400, ttl: '6s' })
    await run(60)
    expect([await read(), call.signal.aborted]).toEqual([[0, 400, 600], false])
    await call.settle(100)
    expect(await read()).toEqual([100, 0, 900])
    await run(20)
    expect(await read()).toEqual([100, 0, 900])
  })

  it('a process keeps all calls of a counter by one call of the store, whatever their number', async () => {
    const { limiter, run, asked, read } = process()
    // The units of a call that is collected as garbage are kept no longer.
    const calls: unknown[] = []
    for (let i = 0; i < 200; i++) calls.push(await limiter.reserve(alice, { cost: 3, ttl: '6s' }))
    asked.mockClear()
    await run(60)
    // Every 2 s.
    expect(asked.mock.calls.length).toBeGreaterThanOrEqual(25)
    expect(asked.mock.calls.length).toBeLessThanOrEqual(30)
    expect(await read()).toEqual([0, 600, 400])
    expect(calls).toHaveLength(200)
  })

  it('a process keeps the units of its calls while calls come, pay and end at all times', async () => {
    const { limiter, run, read } = process()
    const open: Awaited<ReturnType<typeof limiter.reserve>>[] = []
    let paid = 0
    for (let i = 0; i < 60; i++) {
      const call = await limiter.reserve(alice, { cost: 20, ttl: '3s', chunk: 1 })
      open.push(call)
      expect(await call.charge(1)).toBe(true)
      paid++
      await run(0.5)
      if (open.length > 9) {
        await open.shift()?.settle(2)
        paid++
      }
    }
    const [used = 0, held = 0] = await read()
    expect([used, held]).toEqual([paid, open.length * 19])
  })

  it('a process keeps the units of a call that holds its whole budget', async () => {
    const { limiter, run, read } = process()
    const call = await limiter.reserve(alice, { cost: 1000, ttl: '6s' })
    await run(20)
    expect([await read(), call.signal.aborted]).toEqual([[0, 1000, 0], false])
  })

  it('a process keeps the units of a call over the end of a period, in the next one', async () => {
    const { limiter, run, read, clock } = process()
    clock.advance('23h')
    clock.advance('59m')
    clock.advance('50s')
    const call = await limiter.reserve(alice, { cost: 400, ttl: '6s' })
    await run(20)
    expect([await read(), call.signal.aborted]).toEqual([[0, 400, 600], false])
  })

  it('a process keeps the units of its calls until the limiter closes', async () => {
    const { limiter, run, read } = process()
    await limiter.reserve(alice, { cost: 400, ttl: '6s' })
    await run(3)
    await limiter.close()
    await run(10)
    expect(await read()).toEqual([0, 0, 1000])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('a process has no timer when no call is open', async () => {
    const { limiter } = process()
    const calls = [
      await limiter.reserve(alice, { cost: 4, ttl: '6s' }),
      await limiter.reserve(alice, { cost: 4, ttl: '6s' }),
    ]
    expect(vi.getTimerCount()).toBe(1)
    for (const call of calls) await call.cancel()
    expect(vi.getTimerCount()).toBe(0)
  })
})

it('each call on Workers keeps its own units, because a timer ends with its request', async () => {
  vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
  const { limiter, run, read, asked } = process()
  const calls = [
    await limiter.reserve(alice, { cost: 100, ttl: '6s' }),
    await limiter.reserve(alice, { cost: 200, ttl: '6s' }),
  ]
  asked.mockClear()
  await run(20)
  // Each every 2 s.
  expect(asked).toHaveBeenCalledTimes(20)
  expect(await read()).toEqual([0, 300, 700])
  for (const call of calls) await call.settle(1)
  await run(5)
  expect(vi.getTimerCount()).toBe(0)
  vi.unstubAllGlobals()
})

describe('a process that slept for longer than ttl', () => {
  it('a process that slept for longer than ttl holds its units again, if they are still left', async () => {
    const { limiter, run, read, clock } = process()
    const call = await limiter.reserve(alice, { cost: 400, ttl: '6s' })
    clock.advance('1h')
    expect(await read()).toEqual([0, 0, 1000])
    await run(3)
    expect([await read(), call.signal.aborted]).toEqual([[0, 400, 600], false])
  })

  it('a process that slept for longer than ttl hears that others have used its units, and pays from the rest', async () => {
    const { limiter, run, clock, read } = process()
    const call = await limiter.reserve(alice, { cost: 400, ttl: '6s' })
    expect(await call.charge(40)).toBe(true)
    clock.advance('1h')
    await limiter.consume(alice, { cost: 900 })
    const { signal } = call
    await run(3)
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toMatchObject({ code: 'HALT_E_HOLD_LOST' })
    expect((await limiter.reserve(alice, { cost: 10 })).signal.aborted).toBe(false)
    expect(await call.charge(80)).toBe(false)
    expect(call.refusal?.policy).toBe('day')
    await call.settle(40)
    expect(await read()).toEqual([950, 0, 50])
  })

  it('a call whose process slept is not paid from units that others hold', async () => {
    const { limiter, clock, read } = process()
    const asleep = await limiter.reserve(alice, { cost: 600, ttl: '6s' })
    clock.advance('1h')
    const other = await limiter.reserve(alice, { cost: 900, ttl: '6s' })
    expect(await asleep.charge(200)).toBe(false)
    expect(await asleep.charge(100)).toBe(true)
    expect([await other.charge(900), await read()]).toEqual([true, [1000, 0, 0]])
  })
})
