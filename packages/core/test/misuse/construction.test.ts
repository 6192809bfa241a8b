import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

import { type Policy, llmBudget, silence } from '../../src/index.ts'
import { view, world } from '../world.ts'

const policy = (fields: Partial<Policy> = {}): Policy =>
  ({ name: 'api', limit: 10, window: 1, ...fields }) as Policy

describe('a limiter built per request', () => {
  // tools/shared-process.ts silences the code for all other tests.
  beforeAll(() => {
    const silenced = Reflect.get(globalThis, Symbol.for('halt.warnings.silenced')) as Set<string>
    silenced.delete('HALT_W_LIMITER_PER_REQUEST')
  })
  afterAll(() => silence('HALT_W_LIMITER_PER_REQUEST'))

  it('a limiter per request is warned of after a hundred with one policy that each decided a request', async () => {
    const { limiter, codes } = world()
    for (let i = 0; i < 99; i++) await limiter(policy({ name: 'crowd' })).check(view())
    expect(codes()).toEqual([])
    limiter(policy({ name: 'crowd' }))
    expect(codes()).toEqual(['HALT_W_LIMITER_PER_REQUEST'])
    await limiter(policy({ name: 'crowd' })).check(view())
    limiter(policy({ name: 'crowd' }))
    expect(codes()).toHaveLength(1)
  })

  it('a limiter per route is not suspected, because all are built before the first request', async () => {
    const { limiter, codes } = world()
    const routes = Array.from({ length: 300 }, () => limiter(policy({ name: 'route' })))
    for (const route of routes) await route.check(view())
    limiter(policy({ name: 'route' }))
    expect(codes()).toEqual([])
  })

  it('a limiter is not suspected beside others with different policies', () => {
    const { limiter, codes } = world()
    for (let i = 0; i < 200; i++) limiter(policy({ name: `of_${i}` }))
    expect(codes()).toEqual([])
  })
})

describe('two policies of one name on one store', () => {
  it('two policies of one name are warned of with both numbers when the numbers differ', () => {
    const { limiter, warnings } = world()
    limiter(policy())
    limiter(policy({ limit: 20 } as Partial<Policy>))
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_POLICY_CONFLICT'])
    expect(warnings[0]?.message).toContain('10 in 1 s, and 20 in 1 s')
    const quota = { name: 'tokens', period: 'daily' } as const
    limiter({ ...quota, keyStrategy: 'shared', limit: 100 } as never)
    limiter({ ...quota, keyStrategy: 'shared', limit: 3 } as never)
    expect(warnings[1]?.message).toContain('100 a period, and 3 a period')
  })

  it.each<[string, Partial<Policy>]>([
    ['the same numbers', {}],
    ['a counter of its own', { counter: 'other', limit: 20 }],
    ['another algorithm, which counts apart', { algorithm: 'fixed-window', limit: 20 } as Partial<Policy>],
  ])('two policies of one name give no warning with %s', (_, fields) => {
    const { limiter, codes } = world()
    limiter(policy())
    limiter(policy(fields))
    expect(codes()).toEqual([])
  })

  it('two policies of one name do not conflict on two stores', () => {
    const [one, other] = [world(), world()]
    one.limiter(policy())
    other.limiter(policy({ limit: 20 }))
    expect([...one.codes(), ...other.codes()]).toEqual([])
  })
})

describe('a policy that never refuses', () => {
  const code = 'HALT_W_POLICY_UNREACHABLE'

  it.each<[string, Partial<Policy>, Partial<Policy>]>([
    ['a bucket of ten a second beside 1000 a minute in windows', {}, window({ limit: 1000, window: 60 })],
    [
      'a slower and smaller bucket beside a larger one',
      { limit: 10 },
      { name: 'large', limit: 900, window: 60 },
    ],
    ['windows within a window', window({ limit: 5 }, 'api'), window({ limit: 500, window: 60 })],
    ['fixed windows within one', fixed({ limit: 5 }, 'api'), window({ limit: 335, window: 60 })],
  ])('a policy that never refuses is warned of: %s', (_, tight, loose) => {
    const { limiter, warnings, codes } = world()
    limiter([policy(tight), policy(loose)])
    expect(codes()).toEqual([code])
    expect(warnings[0]?.message).toContain(`The policy "large" never refuses, because "api"`)
  })

  it.each<[string, Partial<Policy>, Partial<Policy>]>([
    ['a limit for the longer window that is less', {}, window({ limit: 669, window: 60 })],
    [
      'fixed windows that reach across an edge',
      fixed({ limit: 5 }, 'api'),
      window({ limit: 334, window: 60 }),
    ],
    [
      'a bucket of larger bursts',
      { burst: 2000 } as Partial<Policy>,
      { name: 'large', limit: 900, window: 60 },
    ],
    ['another key', { keyStrategy: 'user' }, window({ limit: 1000, window: 60 })],
    ['a higher cost', { limit: 10 }, window({ limit: 1000, window: 60, cost: 3 })],
    ['exemptions', { exemptions: ['/admin'] }, window({ limit: 1000, window: 60 })],
    ['one that only reports', { mode: 'shadow' }, window({ limit: 1000, window: 60 })],
  ])('a policy that can refuse is not suspected: %s', (_, tight, loose) => {
    const { limiter, codes } = world()
    limiter([policy(tight), policy(loose)])
    expect(codes()).toEqual([])
  })

  it('a policy for tokens next to one for requests is not suspected', () => {
    const { limiter, codes } = world()
    limiter(llmBudget({ rpm: 5000, tpm: 200_000, monthly: 1_000_000 }))
    limiter([
      policy({ keyStrategy: 'user' }),
      window({ limit: 100_000, window: 60, keyStrategy: 'user' }) as Policy,
    ])
    expect(codes()).toEqual([])
  })

  it('a policy that is warned of refuses none of a thousand requests', async () => {
    const { limiter, clock } = world()
    const both = limiter([policy({ limit: 5 }), policy(window({ limit: 335, window: 60 }))])
    const refusing = new Set<string>()
    for (let i = 0; i < 1000; i++) {
      const { verdicts } = await both.consume('somebody')
      for (const said of verdicts) if (!said.allowed) refusing.add(said.policy)
      clock.advance(0.1)
    }
    expect([...refusing]).toEqual(['api'])
  })
})

describe('a memory store in one of several processes', () => {
  afterEach(() => vi.unstubAllEnvs())

  const memory = { evaluate: () => ({}) as never, forget: () => 0, kind: 'memory' }

  it.each([
    ['NODE_UNIQUE_ID', '1', "a worker of Node's cluster"],
    ['pm_id', '3', 'an instance of PM2'],
    ['WEB_CONCURRENCY', '4', 'one of several web processes'],
    ['AWS_LAMBDA_FUNCTION_NAME', 'api', 'an AWS Lambda function'],
  ])('a memory store in one of several processes is recognized by %s', (name, value, who) => {
    vi.stubEnv(name, value)
    const { limiter, warnings } = world()
    limiter(policy(), { store: memory })
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_MEMORY_STORE_SHARED'])
    expect(warnings[0]?.message).toContain(who)
  })

  it('a memory store in one of several processes is recognized by instances', () => {
    const { limiter, codes } = world()
    limiter(policy(), { store: memory, instances: 4 })
    expect(codes()).toEqual(['HALT_W_MEMORY_STORE_SHARED'])
  })

  it('a memory store in a single process gives no warning, and neither does a shared store', () => {
    const { limiter, codes } = world()
    limiter(policy(), { store: memory, instances: 1 })
    vi.stubEnv('WEB_CONCURRENCY', '1')
    vi.stubEnv('pm_id', '0')
    limiter(policy(), { store: memory })
    vi.stubEnv('NODE_UNIQUE_ID', '2')
    limiter(policy(), { store: { ...memory, kind: 'redis' } })
    expect(codes()).toEqual([])
  })
})

describe('clientIpHeader without a trusted proxy', () => {
  it('clientIpHeader without a trusted proxy is warned of', () => {
    const { limiter, codes } = world()
    limiter(policy(), { clientIpHeader: 'cf-connecting-ip' })
    expect(codes()).toEqual(['HALT_W_SPOOFABLE_HEADER'])
  })

  it('clientIpHeader with a trusted proxy gives no warning', () => {
    const { limiter, codes } = world()
    limiter(policy(), { clientIpHeader: 'cf-connecting-ip', trustedProxies: ['cloudflare'] })
    limiter(policy(), { clientIpHeader: 'x-real-ip', trustedProxies: address => address === '10.0.0.1' })
    expect(codes()).toEqual([])
  })
})

function window(fields: Partial<Policy>, name = 'large'): Partial<Policy> {
  return { name, algorithm: 'sliding-window', ...fields } as Partial<Policy>
}

function fixed(fields: Partial<Policy>, name = 'large'): Partial<Policy> {
  return { name, algorithm: 'fixed-window', ...fields } as Partial<Policy>
}
