import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { type Policy, presets, type RateLimiterOptions } from '../../src/index.ts'
import { guard } from '../../src/http/index.ts'
import { admitted, by, mistake, rejection, times, view, world } from '../world.ts'

const one: Policy = { name: 'one', limit: 3, window: 60 }
const spare: Policy = { name: 'spare', limit: 2, window: 60 }
type Resolver = Extract<RateLimiterOptions['policy'], (...args: never[]) => unknown>

/** Ways in which a resolver fails. */
const FAILURES: [string, unknown][] = [
  [
    'throws',
    () => {
      throw new Error('no database')
    },
  ],
  ['rejects', () => Promise.reject(new Error('no database'))],
  ['gives undefined', () => undefined],
  ['gives null', () => null],
  ['gives nothing later', async () => undefined],
  ['gives a name', () => 'public_api'],
  ['gives a wrong policy', () => ({ name: 'p', limit: Number.NaN, window: 60 })],
  ['gives a list with a hole', () => [one, undefined]],
  ['gives one policy twice', () => [one, one]],
]

afterEach(() => void vi.useRealTimers())

describe('a resolver', () => {
  it('a resolver returns one or several policies for a request, synchronous or asynchronous', async () => {
    const plans: Record<string, Policy | Policy[]> = { a: one, b: [one, spare] }
    const find = (request: unknown): Policy | Policy[] => plans[(request as { plan: string }).plan] as Policy
    for (const policy of [find, async (request: unknown) => find(request)]) {
      const limiter = world().limiter(policy)
      const names = async (plan: string): Promise<string[]> =>
        (await limiter.check(view({ request: { plan } }))).verdicts.map(said => said.policy)
      expect(await names('a')).toEqual(['one'])
      expect(await names('b')).toEqual(['one', 'spare'])
    }
  })

  it('a resolver gets the framework’s request, and the context of the call', async () => {
    const resolver = vi.fn<(request: unknown, context?: unknown) => Policy>(() => one)
    const [request, context] = [{}, {}]
    await world().limiter(resolver).check(view({ request, context }))
    expect(resolver.mock.calls[0]?.[0]).toBe(request)
    expect(resolver.mock.calls[0]?.[1]).toBe(context)
  })

  it.each(FAILURES)('a resolver that %s refuses with 503, and warns once', async (_how, policy) => {
    const { limiter, warnings } = world()
    const failing = limiter(policy as Resolver)
    const [decision] = await times(3, failing)
    expect(decision).toMatchObject({
      allowed: false,
      reason: 'policy-error',
      policy: '',
      limit: 0,
      retryAfter: 1,
      degraded: false,
    })
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_POLICY_RESOLVER'])
    expect(warnings[0]?.fix).toBe('Give a fallbackPolicy. Without one such requests get 503.')
    const outcome = await guard(failing).enter(view())
    expect([outcome.status, outcome.headers['Retry-After']]).toEqual([503, '1'])
  })

  it.each(FAILURES)('a resolver that %s leaves the decision to fallbackPolicy', async (_how, policy) => {
    const { limiter, codes, warnings } = world()
    const decisions = await times(3, limiter(policy as Resolver, { fallbackPolicy: spare }))
    expect(decisions.map(({ allowed, policy: name }) => [allowed, name])).toEqual([
      [true, 'spare'],
      [true, 'spare'],
      [false, 'spare'],
    ])
    expect(codes()).toEqual(['HALT_W_POLICY_RESOLVER'])
    expect(warnings[0]?.fix).toBe('The fallbackPolicy decides.')
  })

  it('a resolver that exceeds callbackTimeout has failed', async () => {
    vi.useFakeTimers()
    const asked = world()
      .limiter(() => new Promise<Policy>(() => {}), { callbackTimeout: '30ms' })
      .check(view())
    await vi.advanceTimersByTimeAsync(31)
    expect((await asked).reason).toBe('policy-error')
  })

  it('a resolver that returns an empty list does not admit the request', async () => {
    const { limiter } = world()
    expect((await limiter(() => []).check(view())).reason).toBe('policy-error')
    expect(
      await admitted(
        5,
        limiter(() => [], { fallbackPolicy: spare }),
      ),
    ).toBe(2)
  })

  it('a limiter compiles each policy object of a resolver once, whatever list contains it', async () => {
    let reads = 0
    const counted = {
      name: 'one',
      window: 60,
      get limit() {
        reads++
        return 10
      },
    }
    const limiter = world().limiter(() => [counted, spare])
    await limiter.check(view())
    const once = reads
    await times(5, limiter)
    expect(reads).toBe(once)
  })

  it('equal policies of different objects count on one counter', async () => {
    expect(
      await admitted(
        9,
        world().limiter(() => ({ ...one })),
      ),
    ).toBe(3)
  })

  it('a resolver cannot decide for an identity, so consume, peek and explain need a policy', async () => {
    const limiter = world().limiter(() => one)
    for (const asked of [
      limiter.consume({ user: '42' }),
      limiter.peek({ user: '42' }),
      limiter.explain('job'),
    ]) {
      expect((await rejection(asked)).code).toBe('HALT_E_POLICY_REQUIRED')
    }
    expect((await limiter.consume({ user: '42' }, { policy: one })).remaining).toBe(2)
  })
})

describe('the policies of a call', () => {
  it('the policies of a call decide instead of the limiter’s policies', async () => {
    const limiter = world().limiter(one)
    const decision = await limiter.check(view(), { policy: [spare, presets.PUBLIC_API] })
    expect(decision.verdicts.map(({ policy }) => policy)).toEqual(['spare', 'public_api'])
    expect((await limiter.peek(view())).remaining).toBe(3)
    expect((await limiter.consume('job', { policy: spare })).policy).toBe('spare')
  })

  it('policies given as also decide with the limiter’s: all are charged or none, and none twice', async () => {
    const limiter = world().limiter(one)
    const asked = { also: [spare, one] }
    const decisions = []
    for (let i = 0; i < 3; i++) decisions.push(await limiter.check(view(), asked))
    expect(decisions.map(({ allowed, policy }) => [allowed, policy])).toEqual([
      [true, 'spare'],
      [true, 'spare'],
      [false, 'spare'],
    ])
    expect((await limiter.peek(view())).remaining).toBe(1)
    const names = (await limiter.consume('job', asked)).verdicts.map(({ policy }) => policy)
    expect(names.toSorted()).toEqual([one.name, spare.name].toSorted())
  })

  it('policies of a call are garbage-collected after it if each call brings new ones', async () => {
    const limiter = world().limiter(one)
    const extractors: WeakRef<() => string>[] = []
    const ask = async (): Promise<void> => {
      const keyExtractor = (): string => 'key'
      extractors.push(new WeakRef(keyExtractor))
      await limiter.check(view(), { also: { ...spare, keyExtractor } })
      await limiter.check(view(), { policy: { ...spare, keyExtractor }, also: one })
    }
    for (let i = 0; i < 50; i++) await ask()
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    // A dereferenced WeakRef keeps its target alive until the turn ends.
    await new Promise(resolve => void setTimeout(resolve, 1))
    collect()
    // The limiter keeps the last policy of each name.
    expect(extractors.filter(found => found.deref() !== undefined).length).toBeLessThan(5)
    expect((await limiter.peek(view())).policy).toBe('one')
  })

  it('the policies of a call are validated like the limiter’s policies', async () => {
    const limiter = world().limiter(one)
    const wrong = { name: 'p', limit: 0, window: 60 }
    expect((await rejection(limiter.check(view(), { policy: wrong }))).code).toBe('HALT_E_LIMIT')
    expect((await rejection(limiter.check(view(), { also: wrong }))).code).toBe('HALT_E_LIMIT')
    expect((await rejection(limiter.consume('job', { policy: [spare, spare] }))).code).toBe(
      'HALT_E_DUPLICATE_POLICY',
    )
    expect(mistake(() => limiter.compile(wrong)).code).toBe('HALT_E_LIMIT')
    expect((await rejection(limiter.check(view(), { policy: [] }))).code).toBe('HALT_E_POLICY')
    expect(mistake(() => world().limiter(() => one, { fallbackPolicy: [] })).code).toBe('HALT_E_POLICY')
  })

  it('a policy whose mode is "off" counts nothing, and a request with only such policies is exempt', async () => {
    const limiter = world().limiter([{ ...one, mode: 'off' }, spare])
    expect((await limiter.check(by(1))).verdicts.map(({ policy }) => policy)).toEqual(['spare'])
    const none = world().limiter({ ...one, mode: 'off' })
    expect(await none.check(view())).toMatchObject({
      allowed: true,
      reason: 'exempt',
      limit: 3,
      verdicts: [],
    })
    expect(await none.consume('job')).toMatchObject({
      allowed: true,
      reason: 'exempt',
      limit: 3,
      verdicts: [],
    })
  })
})

it('a limiter finds a resolver’s policy by its name, and does not list it among its own', async () => {
  const resolve = vi.fn<() => Policy>(() => ({ name: 'tenant', limit: 5, window: 60 }))
  const one = world().limiter(resolve)
  for (let i = 0; i < 1000; i++) await one.check(by(i))
  expect(one.policyNamed('tenant')?.limit).toBe(5)
  expect(one.policies).toEqual([])
})
