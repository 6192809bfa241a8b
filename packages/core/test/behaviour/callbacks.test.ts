import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { checkGuardOptions, guard } from '../../src/http/index.ts'
import {
  cachedPolicy,
  CompositeTelemetry,
  llmBudget,
  llmCost,
  LoggingTelemetry,
  MetricsTelemetry,
  PenaltyManager,
  QuotaManager,
  type RateLimiterOptions,
  RateLimiter,
} from '../../src/index.ts'
import { mistake, rejection, times, view, world } from '../world.ts'

const policy = { name: 'p', limit: 5, window: 60 } as const
const rejects = (async () => {
  throw new Error('the database is away')
}) as never
const resolves = (async () => '42') as never

const unheard: unknown[] = []
const hear = (error: unknown): void => void unheard.push(error)
beforeEach(() => {
  unheard.length = 0
  process.on('unhandledRejection', hear)
})
afterEach(() => void process.off('unhandledRejection', hear))

async function turn(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 5))
}

describe('an async function where a synchronous one is required', () => {
  it.each<[string, Partial<RateLimiterOptions>, object]>([
    ['userId', { userId: rejects }, { keyStrategy: 'user' }],
    ['apiKey', { apiKey: rejects }, { keyStrategy: 'api-key' }],
    ['clientIp', { clientIp: rejects }, {}],
    ['userId', { userId: resolves }, { keyStrategy: 'user' }],
  ])('an async %s does not end the process, and is warned of at once', async (name, options, fields) => {
    const { limiter, warnings } = world()
    const decision = await limiter({ ...policy, ...fields }, options).check(view())
    await turn()
    expect([decision.allowed, unheard]).toEqual([true, []])
    expect(warnings[0]).toMatchObject({ code: 'HALT_W_CALLBACK' })
    expect(warnings[0]?.message).toContain(`${name} returned a promise`)
  })

  it('an async function trusts no proxy as trustedProxies, and fails no request as warn', async () => {
    const { store } = world()
    const limiter = new RateLimiter({
      store,
      policy,
      trustedProxies: rejects,
      clientIp: rejects,
      warn: rejects,
    })
    expect((await limiter.check(view())).key).toBe('ip:203.0.113.7')
    const proxied = new RateLimiter({ store, policy, trustedProxies: rejects, warn: () => {} })
    const headers = { 'x-forwarded-for': '198.51.100.1' }
    expect((await proxied.check(view({ headers }))).key).toBe('ip:203.0.113.7')
    await turn()
    expect(unheard).toEqual([])
  })

  it('an async function keeps the charge as chargeWhen, and sends no headers as headers', async () => {
    const { limiter, codes } = world()
    const own = limiter(policy)
    const gate = guard(own, { chargeWhen: rejects })
    gate.leave(await gate.enter(view(), {}), {})
    await turn()
    expect((await own.peek(view())).remaining).toBe(4)
    const untold = await guard(own, { headers: rejects }).enter(view(), {})
    await turn()
    expect([untold.headers, codes(), unheard]).toEqual([{}, ['HALT_W_CALLBACK', 'HALT_W_HEADERS'], []])
  })
})

describe('an async function elsewhere', () => {
  it.each([rejects, resolves])(
    'an async function as headroom leaves half of the capacity, and is warned of',
    async headroom => {
      const { limiter, warnings } = world()
      const own = limiter({ ...policy, limit: 10, headroom })
      const admitted = []
      for (let i = 0; i < 6; i++) admitted.push((await own.check(view())).allowed)
      await turn()
      expect([admitted.filter(Boolean).length, unheard]).toEqual([5, []])
      expect(warnings.map(({ message }) => message)).toEqual([
        'headroom of "p" failed: it returned a promise, and Halt does not wait for it.',
      ])
    },
  )

  it.each([
    [rejects, 'key returned a promise, and Halt does not wait for it'],
    [resolves, 'key returned a promise, and Halt does not wait for it'],
    [() => ({ id: 1 }), 'key returned an object, which is not an id'],
  ])('a cachedPolicy key that is not an id fails, and makes no two clients one', async (key, message) => {
    const { limiter, warnings } = world()
    const own = limiter(cachedPolicy(() => policy, { key: key as never }))
    expect((await own.check(view())).reason).toBe('policy-error')
    await turn()
    expect([warnings.map(({ code }) => code), unheard]).toEqual([['HALT_W_POLICY_RESOLVER'], []])
    expect(warnings[0]?.message).toContain(message)
  })

  it('an async logger or metrics client does not end the process, and is warned of', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const logger = { debug: rejects, info: rejects, warn: rejects, error: rejects }
    const metrics = { increment: rejects, gauge: rejects, histogram: rejects }
    for (const telemetry of [
      new LoggingTelemetry(logger),
      new LoggingTelemetry(logger, { every: '10s' }),
      new MetricsTelemetry(metrics),
    ]) {
      const { limiter, codes } = world()
      const own = limiter({ ...policy, limit: 1 }, { telemetry, penalty: { threshold: 1 } })
      for (let i = 0; i < 3; i++) await own.check(view())
      await vi.advanceTimersByTimeAsync(10_000)
      expect(codes()).toEqual(['HALT_W_TELEMETRY'])
    }
    vi.useRealTimers()
    await turn()
    expect(unheard).toEqual([])
  })

  it('a logger that throws in its timer does not end the process', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const broken = (): never => {
      throw new Error('the disk is full')
    }
    const logger = { debug() {}, info() {}, warn: broken, error: broken }
    const telemetry = new LoggingTelemetry(logger, { every: '10s' })
    await times(7, world().limiter(policy, { telemetry }))
    await vi.advanceTimersByTimeAsync(10_000)
    vi.useRealTimers()
  })

  it('an async function as cost of a call is a mistake', async () => {
    const own = world().limiter(policy)
    expect((await rejection(own.check(view(), { cost: (rejects as () => never)() }))).code).toBe(
      'HALT_E_COST',
    )
    await turn()
    expect(unheard).toEqual([])
  })

  it('an async function as clock of a store does not end the process', async () => {
    const store = { kind: 'mine', evaluate: world().store.evaluate, forget: () => 0, clock: rejects }
    const { limiter } = world()
    await limiter({ name: 'q', limit: 1, period: 'daily', keyStrategy: 'ip' }, { store }).check(view())
    await turn()
    expect(unheard).toEqual([])
  })
})

describe('an invalid id', () => {
  it.each([[{ id: 1 }], [true], [[1]]])('a wrong id is warned of, and the address counts: %j', async id => {
    const { limiter, warnings } = world()
    const own = limiter({ ...policy, keyStrategy: 'user' }, { userId: () => id as never })
    expect((await own.check(view())).key).toBe('ip:203.0.113.7')
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_CALLBACK'])
  })

  it.each([[undefined], [null], ['']])(
    'an empty id means that no user is signed in, and gives no warning: %j',
    async id => {
      const { limiter, codes } = world()
      await limiter({ ...policy, keyStrategy: 'user' }, { userId: () => id as never }).check(view())
      expect(codes()).toEqual([])
    },
  )
})

describe('a number as a header value', () => {
  it('a header value that is a number is written as text', async () => {
    const gate = guard(world().limiter(policy), {
      headers: ({ remaining }) => ({ 'X-Left': remaining }) as never,
    })
    expect((await gate.enter(view(), {})).headers).toEqual({ 'X-Left': '4' })
  })
})

describe('a cost by name', () => {
  const budget = llmBudget({ rpm: 60, tpm: 90_000, name: 'chat' })

  it('a cost that names none of the policies is warned of, in a check and in a settlement', async () => {
    const { limiter, warnings } = world()
    const { decision } = await limiter(budget).reserve({ user: '42' }, { cost: llmCost(2000) })
    expect(decision.verdicts.find(({ policy: name }) => name === 'chat_tokens')?.remaining).toBe(89_999)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_COST_NAMES'])
    expect(warnings[0]?.fix).toBe('Use the names of the policies: chat_requests, chat_tokens.')
    const asked = world()
    await asked.limiter(policy).check(view(), { cost: { q: 3 } })
    await asked.limiter(() => policy).check(view(), { cost: { q: 3 } })
    expect(asked.codes()).toEqual(['HALT_W_COST_NAMES', 'HALT_W_COST_NAMES'])
    const other = world()
    const settled = other.limiter(policy)
    await settled.settle(await settled.check(view()), { q: 1 })
    expect(other.codes()).toEqual(['HALT_W_COST_NAMES'])
  })

  it('a cost by name gives no warning when it names one policy, or nothing', async () => {
    const { limiter, codes } = world()
    const own = limiter(budget)
    await own.consume({ user: '42' }, { cost: llmCost(2000, 'chat') })
    await own.consume({ user: '42' }, { cost: {} })
    expect(codes()).toEqual([])
  })
})

describe('a duration that looks like milliseconds', () => {
  it.each<[string, object, Partial<RateLimiterOptions>]>([
    ['window', { window: 60_000 }, {}],
    ['blockDuration', { blockDuration: 300_000 }, {}],
    ['ttl', { algorithm: 'concurrency', ttl: 30_000, window: undefined }, {}],
    ['storeTimeout', {}, { storeTimeout: 100 }],
    ['callbackTimeout', {}, { callbackTimeout: 1000 }],
    ['duration', {}, { penalty: { duration: 3_600_000 } }],
    ['cooldown', {}, { penalty: { cooldown: 60_000 } }],
  ])('a duration that looks like milliseconds is warned of: %s', (name, fields, options) => {
    const { limiter, warnings } = world()
    limiter({ ...policy, ...fields } as never, options)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_WINDOW_MS'])
    expect(warnings[0]?.message.startsWith(`${name} of `)).toBe(true)
  })

  it('a duration gives no warning as a string, or as usual seconds', () => {
    const { limiter, codes } = world()
    const options = { storeTimeout: 1, callbackTimeout: 5, penalty: { duration: 3600, cooldown: 60 } }
    limiter({ ...policy, window: '60000s', blockDuration: 300 }, options)
    expect(codes()).toEqual([])
  })
})

describe('reset', () => {
  it('reset takes an identity under a resolver by the given policy, and needs one when none is known', async () => {
    const { limiter } = world()
    await limiter(policy).consume({ user: '42' }, { cost: 3 })
    const admin = limiter(() => policy)
    expect((await rejection(admin.reset({ user: '42' }))).code).toBe('HALT_E_POLICY_REQUIRED')
    expect(await admin.reset({ user: '42' }, { policy })).toBe(1)
    expect((await limiter(policy).consume({ user: '42' })).remaining).toBe(4)
  })
})

describe('an option in the wrong place', () => {
  it.each<[() => unknown, string]>([
    [() => world().limiter(policy, { telemetry: [{}] as never }), 'new CompositeTelemetry(a, b)'],
    [() => new CompositeTelemetry([[{}]] as never), 'new CompositeTelemetry(a, b)'],
    [() => new CompositeTelemetry(undefined as never), 'new CompositeTelemetry(a, b)'],
    [() => checkGuardOptions(undefined as never, ['limiter']), '{ policy }'],
    [() => checkGuardOptions(world().limiter(policy) as never, ['limiter']), 'Give { limiter }'],
    [() => checkGuardOptions(policy as never, ['limiter']), 'Write { policy: { name: "'],
    [() => new QuotaManager(world().store, { telemtry: {} } as never), 'Did you mean "telemetry"?'],
    [() => new PenaltyManager({ store: world().store, penalty: {} } as never), 'Known: store, config'],
    [() => new LoggingTelemetry(console, { secrets: 'x' } as never), 'Did you mean "secret"?'],
    [() => cachedPolicy(() => policy, { key: () => 'a', TTL: 5 } as never), 'Did you mean "ttl"?'],
    [() => cachedPolicy(() => policy, undefined as never), 'cachedPolicy(load, { key: request => id })'],
  ])('an option in the wrong place is answered with the right place', (call, fix) => {
    expect(mistake(call).message).toContain(fix)
  })
})

describe('a misspelt option', () => {
  it.each([
    [() => llmBudget({ rmp: 60 } as never), 'Did you mean "rpm"?'],
    [() => world().limiter(policy, { penalty: { treshold: 5 } as never }), 'Did you mean "threshold"?'],
    [() => world().limiter({ ...policy, algoritm: 'x' } as never), 'Did you mean "algorithm"?'],
    [() => world().limiter({ ...policy, zzz: 1 } as never), 'Known: '],
  ])('a misspelt option is answered with a suggestion', (call, hint) => {
    expect(mistake(call).message).toContain(hint)
  })
})
