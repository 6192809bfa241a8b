import { expect, it, vi } from 'vitest'

import { RateLimiter } from '../../src/index.ts'
import type { Store } from '../../src/databases/index.ts'
import { fakeOutage, type FakeOutage, ManualClock, ReferenceStore } from '../../src/testing/index.ts'

const policy = { name: 'p', limit: 2, window: 60 }

function scene(options: object = {}): { store: FakeOutage; limiter: RateLimiter; codes: string[] } {
  const store = fakeOutage(new ReferenceStore(new ManualClock().now))
  const codes: string[] = []
  const warn = ({ code }: { code: string }): void => void codes.push(code)
  return { store, codes, limiter: new RateLimiter({ store, policy, warn, ...options }) }
}

it('a wrapped store answers as the store does, until an outage begins', async () => {
  const { store, limiter } = scene()
  const decisions = [await limiter.consume('a'), await limiter.consume('a'), await limiter.consume('a')]
  expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, false])
  expect(decisions.map(({ degraded }) => degraded)).toEqual([false, false, false])
  expect([store.kind, store.isShared]).toEqual(['reference', false])
})

it('a wrapped store is asked by a limiter at once where the store answers at once', () => {
  const { store } = scene()
  expect(store.evaluate({ demands: [] })).not.toHaveProperty('then')
})

it.each([
  ['local', undefined, 'ok'],
  ['open', 'open', 'ok'],
  ['closed', 'closed', 'store-error'],
] as const)(
  'a store that refuses calls makes the limiter decide "%s"',
  async (degraded, onStoreError, reason) => {
    const { store, limiter, codes } = scene({ onStoreError })
    store.begin('refused')
    expect(await limiter.consume('a')).toMatchObject({ degraded, reason })
    expect(codes).toEqual(['HALT_W_STORE_UNAVAILABLE'])
  },
)

it('a store that hangs makes the limiter decide after storeTimeout, and rejects when the outage ends', async () => {
  const { store, limiter, codes } = scene({ storeTimeout: '10ms' })
  store.begin('hanging')
  const direct = store.forget([{ subject: 'custom:a', counter: 'p:t' }])
  expect(await limiter.consume('a')).toMatchObject({ degraded: 'local' })
  expect(codes).toEqual(['HALT_W_STORE_TIMEOUT'])
  store.end()
  await expect(direct).rejects.toThrow('ECONNRESET')
})

it('a slow store has charged the request that the limiter decided without it', async () => {
  const { store, limiter } = scene({ storeTimeout: '10ms' })
  store.begin({ slow: '200ms' })
  expect(await limiter.consume('a')).toMatchObject({ degraded: 'local' })
  store.end()
  await expect.poll(() => limiter.peek({ custom: 'a' })).toMatchObject({ degraded: false, remaining: 1 })
})

it('a store within storeTimeout decides, however slow', async () => {
  const { store, limiter } = scene({ storeTimeout: '30s' })
  store.begin({ slow: '20ms' })
  expect(await limiter.consume('a')).toMatchObject({ degraded: false, remaining: 1 })
})

it('the limiter finds the store again after an outage', async () => {
  const { store, limiter } = scene()
  store.begin()
  for (let i = 0; i < 4; i++) expect(await limiter.consume('a')).not.toMatchObject({ degraded: false })
  store.end()
  await expect.poll(async () => (await limiter.consume('b', { cost: 0 })).degraded).toBe(false)
})

it('one outage may follow another, and calls that hung are lost with the first', async () => {
  const { store } = scene()
  store.begin('hanging')
  const hung = store.evaluate({ demands: [] })
  store.begin('refused')
  await expect(hung).rejects.toThrow('ECONNRESET')
  await expect(store.evaluate({ demands: [] })).rejects.toThrow('ECONNREFUSED')
})

it('a probe, an inspection and the end of the store fail and pass as its calls do', async () => {
  const close = vi.fn<() => void>()
  const inner: Store = { ...emptyStore(), probe: async () => 'there', inspect: async () => [], close }
  const store = fakeOutage(inner)
  expect(await store.probe()).toBe('there')
  store.begin('refused')
  await expect(store.probe()).rejects.toThrow('ECONNREFUSED')
  await expect(store.inspect()).rejects.toThrow('ECONNREFUSED')
  await store.close()
  expect(close).toHaveBeenCalledOnce()
  expect(await store.inspect()).toEqual([])
})

it('listeners hear when the store or the outage opens a connection anew', () => {
  let reopen = (): void => {}
  const store = fakeOutage({ ...emptyStore(), onReconnect: listener => void (reopen = listener) })
  const heard = vi.fn<() => void>()
  store.onReconnect(heard)
  reopen()
  expect(heard).toHaveBeenCalledTimes(1)
  store.end()
  expect(heard).toHaveBeenCalledTimes(1)
  store.begin()
  store.end()
  expect(heard).toHaveBeenCalledTimes(2)
})

it.each([
  ['down', 'HALT_E_OPTION'],
  [null, 'HALT_E_OPTION'],
  [{}, 'HALT_E_OPTION'],
  [{ slow: 'very' }, 'HALT_E_DURATION'],
])('an outage cannot be %o', (how, code) => {
  expect(() => scene().store.begin(how as never)).toThrowError(expect.objectContaining({ code }))
})

function emptyStore(): Store {
  const store = new ReferenceStore(() => 0)
  return { evaluate: group => store.evaluate(group), forget: () => 0 }
}
