import { describe, expect, it, vi } from 'vitest'

import {
  type HaltWarning,
  type OnStoreError,
  type Policy,
  RateLimiter,
  type RateLimiterOptions,
} from '../../src/index.ts'
import { guard } from '../../src/http/index.ts'
import { Stopwatch } from '../../../../tools/stopwatch.ts'
import { aWorld, inVirtualTime } from '../line/rows.ts'
import { times, view } from '../world.ts'
import { type Fault, FaultyStore, pause } from './faulty-store.ts'

inVirtualTime()

const policy: Policy = { name: 'p', limit: 4, window: 3600, algorithm: 'fixed-window' }

/** A limiter on a store that can fail. */
function faulty(options: Partial<RateLimiterOptions> = {}): {
  store: FaultyStore
  limiter: RateLimiter
  warnings: HaltWarning[]
} {
  const store = new FaultyStore()
  const warnings: HaltWarning[] = []
  const warn = (warning: HaltWarning): void => void warnings.push(warning)
  return {
    store,
    warnings,
    limiter: new RateLimiter({ store, policy, storeTimeout: '30ms', warn, ...options }),
  }
}

/** Settles as a promise that waits only for other promises. Rejects if it does not settle within this turn of the event loop. */
function atOnce<T>(promise: Promise<T>): Promise<T> {
  const turn = new Promise<never>((_, reject) => setImmediate(() => reject(new Error('It waited.'))))
  return Promise.race([promise, turn])
}

describe('a store that fails', () => {
  const faults: Fault[] = ['reject', 'hang', 'throw', 'late answer', 'late rejection']

  it.each(faults)('a store that fails by %s leaves the decision to the fallback in time', async fault => {
    const { store, limiter } = faulty()
    store.fault = fault
    const watch = new Stopwatch()
    const decisions = await Promise.all(Array.from({ length: 6 }, () => limiter.check(view())))
    expect(watch.stop()).toBeLessThan(500)
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, true, false, false])
    expect(decisions.map(({ degraded }) => degraded)).toEqual(Array(6).fill('local'))
    expect(decisions[5]).toMatchObject({ reason: 'limited', policy: 'p', remaining: 0 })
    expect(decisions[5]?.retryAfter).toBeGreaterThan(3590)
  })

  it('a store that fails by a late rejection charges each request once in the fallback', async () => {
    const { store, limiter } = faulty()
    store.fault = 'late rejection'
    const first = await limiter.check(view())
    await pause(100)
    const second = await limiter.check(view())
    expect([first.remaining, second.remaining]).toEqual([3, 2])
  })

  it('the first request after a quiet outage waits for the probe instead of being refused', async () => {
    const world = await aWorld(policy as never, { limiter: { onStoreError: 'closed' } })
    world.network.begin('away')
    for (let i = 0; i < 5; i++) {
      const { ask } = world.ask(0, { by: 'check' })
      await world.pass(5)
      expect(ask).toMatchObject({ end: 'refused', reason: 'store-error' })
    }
    world.network.end(0)
    await world.pass(1700)
    const first = world.ask(0, { by: 'check' })
    await world.pass(20)
    expect(first.decision).toMatchObject({ allowed: true, degraded: false, remaining: 3 })
  })

  it('only one request after a quiet outage waits for the probe of a store that is still away', async () => {
    const world = await aWorld(policy as never, { limiter: { storeTimeout: '30ms' } })
    world.network.begin('hung')
    for (let i = 0; i < 4; i++) {
      world.ask(0, { by: 'check' })
      await world.pass(100)
    }
    expect(world.book.asks.map(({ end, degraded }) => [end, degraded])).toEqual(
      Array(4).fill(['started', 'local']),
    )
    await world.pass(1700)
    const first = world.ask(0, { by: 'check' })
    const others = [1, 2].map(() => world.ask(0, { by: 'check' }))
    await world.pass(0)
    for (const { decision } of others) expect(decision).toMatchObject({ degraded: 'local', remaining: 0 })
    expect(first.decision).toBeUndefined()
    await world.pass(100)
    expect(first.decision).toMatchObject({ degraded: 'local', remaining: 0 })
  })

  it.each([
    ['open', true, 'ok', 'open', 200],
    ['closed', false, 'store-error', 'closed', 503],
    ['local', true, 'ok', 'local', 200],
  ] as const)(
    'a store that fails leaves the decision to onStoreError: %s',
    async (onStoreError, allowed, reason, degraded, status) => {
      for (const options of [
        { onStoreError },
        { policy: { ...policy, onStoreError }, onStoreError: 'local' as OnStoreError },
      ]) {
        const { store, limiter } = faulty(options)
        store.fault = 'reject'
        const decision = await limiter.check(view())
        expect(decision).toMatchObject({ allowed, reason, degraded, policy: 'p', key: 'ip:203.0.113.7' })
        const outcome = await guard(limiter).enter(view())
        expect(outcome.status).toBe(status)
        if (!allowed) expect(outcome.headers['Retry-After']).toBe('1')
      }
    },
  )

  it.each(['local', 'open'] as const)(
    'a closed policy refuses the requests that it counts, whatever the other policies decide: %s',
    async onStoreError => {
      const other: Policy = { ...policy, name: 'other', onStoreError }
      const { store, limiter } = faulty({
        policy: [policy, { ...policy, name: 'login', onStoreError: 'closed' }, other],
      })
      store.fault = 'reject'
      expect(await limiter.check(view())).toMatchObject({
        allowed: false,
        reason: 'store-error',
        policy: 'login',
      })
      store.fault = 'none'
      expect((await limiter.peek(view())).verdicts.map(({ remaining }) => remaining)).toEqual([4, 4, 4])
    },
  )

  it('a closed policy in shadow mode refuses no request', async () => {
    const { store, limiter } = faulty({
      policy: [policy, { ...policy, name: 's', mode: 'shadow', onStoreError: 'closed' }],
    })
    store.fault = 'reject'
    expect(await limiter.check(view())).toMatchObject({ allowed: true, policy: 'p' })
  })

  it('a local policy may refuse next to an open one', async () => {
    const { store, limiter } = faulty({
      policy: [
        { ...policy, limit: 1 },
        { ...policy, name: 'free', onStoreError: 'open' },
      ],
    })
    store.fault = 'reject'
    const decisions = await times(2, limiter)
    expect(decisions.map(({ allowed, degraded, verdicts }) => [allowed, degraded, verdicts.length])).toEqual([
      [true, 'local', 1],
      [false, 'local', 1],
    ])
  })

  it('a store that fails is warned of once with the kind of failure, and telemetry hears of it each time', async () => {
    const kinds: [unknown, string, string][] = [
      [new Error('gone'), 'HALT_W_STORE_UNAVAILABLE', 'unavailable'],
      [
        Object.assign(new Error('NOPERM'), { failure: 'misconfigured' }),
        'HALT_W_STORE_MISCONFIGURED',
        'misconfigured',
      ],
      [Object.assign(new Error('OOM'), { failure: 'full' }), 'HALT_W_STORE_FULL', 'full'],
      [Object.assign(new Error('WRONGTYPE'), { failure: 'script' }), 'HALT_W_STORE_SCRIPT', 'script'],
      [Object.assign(new Error('x'), { failure: 'toString' }), 'HALT_W_STORE_UNAVAILABLE', 'unavailable'],
      ['no error at all', 'HALT_W_STORE_UNAVAILABLE', 'unavailable'],
      [undefined, 'HALT_W_STORE_UNAVAILABLE', 'unavailable'],
    ]
    for (const [error, code, failure] of kinds) {
      const onStoreError = vi.fn<(error: unknown, detail: object) => void>()
      const { store, limiter, warnings } = faulty({ telemetry: { onStoreError } })
      Object.assign(store, { fault: 'reject', error })
      await times(2, limiter)
      expect(warnings.map(warning => warning.code)).toEqual([code])
      expect(onStoreError.mock.calls).toEqual(Array(2).fill([error, { failure, store: 'faulty' }]))
    }
    const { store, limiter, warnings } = faulty()
    store.fault = 'hang'
    await times(2, limiter)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_STORE_TIMEOUT'])
    expect(warnings[0]?.message).toContain('30 ms')
  })

  it('a store gets no refund for a charge that it never made', async () => {
    const { store, limiter } = faulty()
    store.fault = 'reject'
    const decisions = await times(2, limiter)
    store.fault = 'none'
    for (const decision of decisions) {
      await limiter.settle(decision, 0)
      await limiter.release(decision)
    }
    expect(store.calls).toBe(2)
  })
})

describe('an unavailable store', () => {
  it('an unavailable store delays no request after a few failures, and a probe finds it within two seconds', async () => {
    const { store, limiter } = faulty({ policy: { ...policy, limit: 1000 } })
    store.fault = 'hang'
    await times(3, limiter)
    const { calls } = store
    await atOnce(times(200, limiter))
    expect(store.calls).toBe(calls)
    store.fault = 'none'
    let waited = 0
    for (; waited < 2000; waited += 25) {
      if ((await limiter.check(view())).degraded === false) break
      await pause(25)
    }
    expect(waited).toBeLessThan(2000)
    expect(store.probes).toBeGreaterThan(0)
    expect(await limiter.check(view())).toMatchObject({ degraded: false })
  })

  it('an unavailable store gets only a few probes', async () => {
    const { store, limiter } = faulty()
    store.fault = 'reject'
    await times(3, limiter)
    const started = performance.now()
    for (let i = 0; i < 60; i++) {
      await limiter.check(view())
      await pause(20)
    }
    expect(store.calls).toBe(3)
    expect(store.probes).toBeGreaterThanOrEqual(1)
    // Probes are at least 375 ms apart.
    expect(store.probes).toBeLessThanOrEqual(1 + (performance.now() - started) / 375)
  })

  it('a store is not considered unavailable after two failures among successes', async () => {
    const { store, limiter } = faulty({ policy: { ...policy, limit: 1000 } })
    for (let i = 0; i < 5; i++) {
      store.fault = 'reject'
      await times(2, limiter)
      store.fault = 'none'
      expect((await limiter.check(view())).degraded).toBe(false)
    }
  })
})
