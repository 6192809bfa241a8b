import { expect as jestExpect } from 'expect'
import { describe, expect as vitestExpect, it } from 'vitest'

import { RateLimiter } from '../../src/index.ts'
import {
  fakeOutage,
  type HaltMatchers,
  ManualClock,
  matchers,
  ReferenceStore,
} from '../../src/testing/index.ts'

declare module 'vitest' {
  interface Matchers<T> extends HaltMatchers<T> {}
}
declare module 'expect' {
  interface Matchers<R> extends HaltMatchers<R> {}
}

vitestExpect.extend(matchers)
jestExpect.extend(matchers)

const policy = { name: 'api', limit: 2, window: 60 }
const scene = (): { store: ReturnType<typeof fakeOutage>; limiter: RateLimiter } => {
  const store = fakeOutage(new ReferenceStore(new ManualClock().now))
  return { store, limiter: new RateLimiter({ store, policy, warn: () => {}, onStoreError: 'closed' }) }
}
const response = (status: number, headers: Record<string, string> = {}): Response =>
  new Response(null, { status, headers })

describe.each([
  ['Vitest', vitestExpect],
  ['Jest', jestExpect as unknown as typeof vitestExpect],
])('the matchers in %s', (_runner, expect) => {
  it('the matchers tell admitted decisions from refused ones', async () => {
    const { limiter } = scene()
    const first = await limiter.consume({ user: '42' })
    expect(first).toBeAllowed()
    expect(first).not.toBeLimited()
    expect(first).toHaveRemaining(1)
    expect(first).not.toBeDegraded()
    await limiter.consume({ user: '42' })
    const refused = await limiter.consume({ user: '42' })
    expect(refused).toBeLimited()
    expect(refused).not.toBeAllowed()
    expect(refused).toBeLimited({ policy: 'api', reason: 'limited', key: 'user:42', retryAfter: 30 })
    expect(refused).not.toBeLimited({ retryAfter: 31 })
    await expect(limiter.consume({ user: '42' })).resolves.toBeLimited({ policy: 'api' })
  })

  it('the matchers tell what decided in the place of the store', async () => {
    const { store, limiter } = scene()
    store.begin()
    const decision = await limiter.consume({ user: '42' })
    expect(decision).toBeDegraded()
    expect(decision).toBeDegraded('closed')
    expect(decision).not.toBeDegraded('open')
    expect(decision).toBeLimited({ reason: 'store-error' })
  })

  it.each([
    ['fetch', response],
    ['Supertest', (status: number, headers: object) => ({ status, headers })],
    ["Fastify's inject", (statusCode: number, headers: object) => ({ statusCode, headers })],
  ] as const)('the matchers read a response of %s', (_client, make) => {
    const refused = make(429, { 'retry-after': '30', 'ratelimit-remaining': '0' })
    expect(refused).toBeLimited()
    expect(refused).toBeLimited({ retryAfter: 30 })
    expect(refused).not.toBeLimited({ retryAfter: 60 })
    expect(refused).not.toBeAllowed()
    expect(refused).toHaveRemaining(0)
    expect(make(420, {})).toBeLimited({ status: 420 })
    expect(make(404, { 'x-ratelimit-remaining': '7' })).toBeAllowed()
    expect(make(404, { 'x-ratelimit-remaining': '7' })).toHaveRemaining(7)
    expect(make(503, {})).not.toBeAllowed()
    expect(make(200, {})).not.toHaveRemaining(0)
  })

  it('the matchers tell the expectation and the answer', async () => {
    const { limiter } = scene()
    const decision = await limiter.consume({ user: '42' })
    expect(() => expect(decision).toBeLimited()).toThrow(
      'expected the request to be limited, but policy "api" let it in (reason "ok", key "user:42", 1 of 2 remaining)',
    )
    expect(() => expect(response(200)).toBeLimited()).toThrow(
      'expected the request to be limited, but the response has status 200',
    )
    const refused = response(429, { 'Retry-After': '30' })
    expect(() => expect(refused).toBeLimited({ retryAfter: 60 })).toThrow(
      'expected the request to be limited with retryAfter 60, but the response has status 429, retryAfter 30',
    )
    expect(() => expect(refused).not.toBeLimited()).toThrow('expected the request not to be limited')
    expect(() => expect(decision).toHaveRemaining(2)).toThrow('to be answered with 2 remaining')
    expect(() => expect(decision).toBeDegraded('open')).toThrow('to be degraded to "open"')
  })

  it.each([
    ['a promise', Promise.resolve()],
    ['undefined', undefined],
    ['an object', {}],
    ['429', 429],
  ])('the matchers refuse %s, with .not as well', (shown, value) => {
    for (const assert of [expect(value), expect(value).not])
      expect(() => assert.toBeLimited()).toThrow(
        `toBeLimited got ${shown}, which is neither a decision nor a response.`,
      )
  })

  it('the matchers refuse to compare what a response does not tell', () => {
    expect(() => expect(response(429)).toBeLimited({ policy: 'api' })).toThrow(
      'A response does not tell policy.',
    )
    expect(() => expect(response(429)).not.toBeDegraded()).toThrow('A response does not tell degraded.')
  })
})

it('the matchers are typed for Vitest and for Jest', () => {
  const refused = response(429, { 'Retry-After': '30' })
  vitestExpect(refused).toBeLimited({ retryAfter: 30 })
  jestExpect(refused).toBeLimited({ status: 429, retryAfter: 30 })
  // @ts-expect-error -- the name of a field is wrong
  vitestExpect(() => vitestExpect(refused).toBeLimited({ retry: 30 })).toThrow('does not tell retry')
  // @ts-expect-error -- the name of a field is wrong
  vitestExpect(() => jestExpect(refused).toBeLimited({ retry: 30 })).toThrow('does not tell retry')
})
