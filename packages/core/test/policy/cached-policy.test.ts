import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from 'vitest'

import { cachedPolicy, type CachedPolicyOptions, type Policy, presets } from '../../src/index.ts'
import { mistake, view, world } from '../world.ts'

const policy = (limit: number): Policy => ({ name: 'p', limit, window: 60 })
const request = (tenant: string): { tenant: string } => ({ tenant })
type Load = (id: string, request: { tenant: string }) => Promise<Policy>
const key = ({ tenant }: { tenant: string }): string => tenant

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A loader that takes 20 ms, as a database look-up. */
function database(): Mock<Load> {
  let version = 0
  return vi.fn<Load>(async () => {
    await new Promise(resolve => setTimeout(resolve, 20))
    return policy(++version)
  })
}

describe('cachedPolicy', () => {
  it('cachedPolicy loads once for requests that come at once', async () => {
    const load = database()
    const resolve = cachedPolicy(load, { key })
    const asked = Promise.all(Array.from({ length: 100 }, async () => resolve(request('a'))))
    await vi.advanceTimersByTimeAsync(20)
    expect(new Set(await asked)).toEqual(new Set([policy(1)]))
    expect(load).toHaveBeenCalledTimes(1)
  })

  it('cachedPolicy passes the key and the request to the loader, and keeps keys apart', async () => {
    const load = vi.fn<Load>(async id => policy(id.length))
    const resolve = cachedPolicy(load, { key })
    expect(await resolve(request('a'))).toEqual(policy(1))
    expect(await resolve(request('bb'))).toEqual(policy(2))
    expect(load.mock.calls[1]).toEqual(['bb', request('bb')])
  })

  it('cachedPolicy loads a request without a key as \'\' and not as a customer called "undefined"', async () => {
    const load = vi.fn<Load>(async () => policy(1))
    const resolve = cachedPolicy(load, { key: () => undefined })
    await resolve(request('a'))
    expect(load.mock.calls[0]?.[0]).toBe('')
  })

  it('cachedPolicy loads again only after the ttl, once for all requests', async () => {
    const load = database()
    const resolve = cachedPolicy(load, { key, ttl: '5s' })
    const first = resolve(request('a'))
    await vi.advanceTimersByTimeAsync(20)
    await first
    await vi.advanceTimersByTimeAsync(4999)
    expect(resolve(request('a'))).toEqual(policy(1))
    expect(load).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(1)
    const asked = Promise.all(Array.from({ length: 10 }, async () => resolve(request('a'))))
    expect(load).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(20)
    expect(new Set(await asked)).toEqual(new Set([policy(2)]))
    expect(resolve(request('a'))).toEqual(policy(2))
  })

  it('cachedPolicy uses the old policy while a load is late, and makes only one request wait', async () => {
    let answer: (late: Policy) => void = () => {}
    const load = vi.fn<Load>(async () => policy(1))
    const resolve = cachedPolicy(load, { key, ttl: '1s' })
    await resolve(request('a'))
    load.mockReturnValueOnce(new Promise(done => (answer = done)))
    await vi.advanceTimersByTimeAsync(1000)
    const first = resolve(request('a'))
    await vi.advanceTimersByTimeAsync(50)
    expect(await first).toEqual(policy(1))
    expect(resolve(request('a'))).toEqual(policy(1))
    answer(policy(2))
    await vi.advanceTimersByTimeAsync(0)
    expect(resolve(request('a'))).toEqual(policy(2))
    expect(load).toHaveBeenCalledTimes(2)
  })

  it('cachedPolicy uses the old policy while loading fails, at most for stale', async () => {
    let isAway = false
    const load = vi.fn<Load>(async () => {
      if (isAway) throw new Error('no database')
      return policy(1)
    })
    const resolve = cachedPolicy(load, { key, ttl: '1s', stale: '10s' })
    await resolve(request('a'))
    isAway = true
    for (let second = 1; second <= 10; second++) {
      await vi.advanceTimersByTimeAsync(1000)
      expect(await resolve(request('a')), String(second)).toEqual(policy(1))
    }
    expect(load).toHaveBeenCalledTimes(11)
    await vi.advanceTimersByTimeAsync(1000)
    await expect(resolve(request('a'))).rejects.toThrow('no database')
    isAway = false
    expect(await resolve(request('a'))).toEqual(policy(1))
  })

  it.each([[null], [undefined], [[]], [{ name: 'p', limit: -1, window: 60 }]])(
    'cachedPolicy keeps the old policy when the loader gives %o, with which nothing can be decided',
    async nothing => {
      const load = vi.fn<Load>(async () => policy(1))
      const resolve = cachedPolicy(load, { key, ttl: '1s' })
      await resolve(request('a'))
      load.mockResolvedValue(nothing as never)
      await vi.advanceTimersByTimeAsync(1000)
      expect(await resolve(request('a'))).toEqual(policy(1))
      await expect(resolve(request('b'))).rejects.toMatchObject({ code: expect.stringMatching(/^HALT_E_/) })
    },
  )

  it('cachedPolicy does not remember a failure: the next request loads', async () => {
    const load = vi.fn<Load>(async () => policy(1)).mockRejectedValueOnce(new Error('no database'))
    const resolve = cachedPolicy(load, { key })
    await expect(resolve(request('a'))).rejects.toThrow('no database')
    expect(await resolve(request('a'))).toEqual(policy(1))
  })

  it('cachedPolicy treats a loader that throws like one that rejects', async () => {
    let isAway = true
    const resolve = cachedPolicy(
      () => {
        if (isAway) throw new Error('no database')
        return policy(1)
      },
      { key },
    )
    await expect(resolve(request('a'))).rejects.toThrow('no database')
    isAway = false
    expect(await resolve(request('a'))).toEqual(policy(1))
  })

  it('a load that was given up does not overwrite a newer one', async () => {
    let answer: (late: Policy) => void = () => {}
    const load = vi
      .fn<Load>(async () => policy(2))
      .mockReturnValueOnce(new Promise(resolve => (answer = resolve)))
    const resolve = cachedPolicy(load, { key })
    const first = resolve(request('a'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await resolve(request('a'))).toEqual(policy(2))
    answer(policy(1))
    expect(await first).toEqual(policy(1))
    expect(resolve(request('a'))).toEqual(policy(2))
  })

  it('cachedPolicy starts another load if a load never ends', async () => {
    const load = vi
      .fn<(id: string) => Promise<Policy>>(async () => policy(1))
      .mockReturnValueOnce(new Promise(() => {}))
    const limiter = world().limiter(cachedPolicy(load, { key: () => 'a' }), { callbackTimeout: '100ms' })
    const first = limiter.check(view())
    await vi.advanceTimersByTimeAsync(101)
    expect((await first).reason).toBe('policy-error')
    await vi.advanceTimersByTimeAsync(60_000)
    const second = limiter.check(view())
    await vi.advanceTimersByTimeAsync(101)
    expect((await second).reason).toBe('ok')
  })

  it('cachedPolicy keeps at most maxKeys, and forgets the key used longest ago', async () => {
    const load = vi.fn<Load>(async () => policy(1))
    const resolve = cachedPolicy(load, { key, maxKeys: 2 })
    for (const tenant of ['a', 'b', 'a', 'c', 'a']) await resolve(request(tenant))
    expect(load.mock.calls.map(([id]) => id)).toEqual(['a', 'b', 'c'])
    await resolve(request('b'))
    expect(load).toHaveBeenCalledTimes(4)
  })

  it('cachedPolicy loads a forgotten key again at once, and keeps the others', async () => {
    let loads = 0
    const load: Load = async () => policy(++loads)
    const resolve = cachedPolicy(load, { key })
    for (const tenant of ['a', 'b']) await resolve(request(tenant))
    resolve.forget('a')
    expect(await resolve(request('a'))).toEqual(policy(3))
    expect(await resolve(request('b'))).toEqual(policy(2))
    resolve.forget('nobody')
  })

  it('cachedPolicy does not keep a load that was under way when its key was forgotten', async () => {
    const load = database()
    const resolve = cachedPolicy(load, { key })
    const before = resolve(request('a'))
    resolve.forget('a')
    const after = resolve(request('a'))
    await vi.advanceTimersByTimeAsync(20)
    expect([await before, await after]).toEqual([policy(1), policy(2)])
    expect(await resolve(request('a'))).toEqual(policy(2))
  })

  it('cachedPolicy refuses to forget a value that is not a key', () => {
    const resolve = cachedPolicy(() => policy(1), { key })
    for (const wrong of [undefined, '', {}, Number.NaN])
      expect(mistake(() => resolve.forget(wrong as never)).code).toBe('HALT_E_OPTION')
  })

  it('cachedPolicy gives a limiter all policies of a list, and the limiter compiles them once', async () => {
    let reads = 0
    const counted = Object.defineProperty(policy(5), 'limit', {
      enumerable: true,
      get: () => {
        reads++
        return 5
      },
    })
    const load = vi.fn<() => readonly Policy[]>(() => [counted, presets.PUBLIC_API])
    const limiter = world().limiter(cachedPolicy(load, { key: () => 'a' }))
    const names = async (): Promise<string[]> =>
      (await limiter.check(view())).verdicts.map(({ policy: name }) => name).toSorted()
    expect(await names()).toEqual(['p', presets.PUBLIC_API.name])
    const compiled = reads
    expect(compiled).toBeGreaterThan(0)
    for (let i = 0; i < 3; i++) expect(await names()).toEqual(['p', presets.PUBLIC_API.name])
    expect([reads, load.mock.calls.length]).toEqual([compiled, 1])
  })

  it.each([
    [{ key: 'tenant' }, 'HALT_E_OPTION'],
    [{ key, maxKeys: 0 }, 'HALT_E_OPTION'],
    [{ key, maxKeys: Number.NaN }, 'HALT_E_OPTION'],
    [{ key, maxKeys: '100' }, 'HALT_E_OPTION'],
    [{ key, ttl: -1 }, 'HALT_E_DURATION'],
    [{ key, ttl: '5 minutes' }, 'HALT_E_DURATION'],
    [{ key, stale: Number.NaN }, 'HALT_E_DURATION'],
  ])('cachedPolicy refuses the options %o', (options, code) => {
    const wrong = options as unknown as CachedPolicyOptions<{ tenant: string }>
    expect(mistake(() => cachedPolicy(() => policy(1), wrong)).code).toBe(code)
  })
})
