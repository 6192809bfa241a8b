import { presets, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import express, { type Request } from 'express'
import { describe, expect, it } from 'vitest'

import { halt, type HaltOptions } from '../src/index.ts'
import { listen } from './adapter.ts'

const policy = { name: 'api', limit: 1, window: 60 }
const limiter = new RateLimiter<Request>({ store: new InMemoryStore(), policy })

it.each([{ windowMs: 60_000, max: 100 }, { window: 60, max: 100 }, { points: 5 }])(
  'an error names the policy into which the options %o belong',
  options => {
    expect(() => halt(options as unknown as HaltOptions)).toThrowError(
      expect.objectContaining({ fix: expect.stringContaining('into a policy: { policy: {') }),
    )
  },
)

it('an error tells what to write for the fields of a policy without their policy', () => {
  const given = { limit: 100, window: '1h' } as unknown as HaltOptions
  expect(() => halt(given)).toThrow(
    'halt() got the fields of a policy instead of its options. Write { policy: { name: "api", limit: 100, window: "1h" } }.',
  )
})

it('an error tells the name that Halt has for a key function of another limiter', () => {
  const options = { policy, keyGenerator: () => 'x' } as unknown as HaltOptions
  expect(() => halt(options)).toThrow(/Use "keyExtractor"\. Put limit, window and the like into a policy/)
})

describe('halt() throws for wrong options', () => {
  const wrong: readonly [string, object, string][] = [
    ['an unknown option', { policy, windowMs: 60_000 }, 'HALT_E_UNKNOWN_FIELD'],
    ['a typing error', { policy, costOnErorr: 1 }, 'HALT_E_UNKNOWN_FIELD'],
    ['a limiter beside options of one', { limiter, exemptPrivateIps: false }, 'HALT_E_LIMITER'],
    ['a limiter that is none', { limiter: {} }, 'HALT_E_LIMITER'],
    ['neither limiter nor policy', {}, 'HALT_E_POLICY'],
    ['a wrong policy', { policy: { ...policy, limit: '5' } }, 'HALT_E_LIMIT'],
    ['a wrong policy beside a limiter', { limiter, policy: { ...policy, limit: '5' } }, 'HALT_E_LIMIT'],
    ['a status that is no refusal', { limiter, statusCode: 200 }, 'HALT_E_OPTION'],
    ['an unknown format', { limiter, errorFormat: 'xml' }, 'HALT_E_OPTION'],
    ['an unknown dialect', { limiter, headers: 'draft-3' }, 'HALT_E_HEADERS'],
    ['a cost that is no number', { limiter, cost: Number.NaN }, 'HALT_E_COST'],
    ['a cost by policy that is no number', { limiter, cost: { p: -1 } }, 'HALT_E_COST'],
    ['a skip that is not a function', { limiter, skip: true }, 'HALT_E_OPTION'],
    ['an onLimited that is not a function', { limiter, onLimited: 'no' }, 'HALT_E_OPTION'],
  ]
  for (const [what, options, code] of wrong) {
    it(`halt() throws ${code} for ${what}`, () => {
      expect(() => halt(options as HaltOptions)).toThrowError(expect.objectContaining({ code }))
    })
  }

  it('halt() treats undefined as absent', () => {
    expect(() => halt({ limiter, cost: undefined, skip: undefined, headers: undefined })).not.toThrow()
  })
})

describe('a middleware made without a limiter', () => {
  it('a middleware with AUTH_ENDPOINTS and no limiter limits on localhost', async () => {
    const app = express()
    app.use(halt({ policy: presets.AUTH_ENDPOINTS }))
    app.get('/', (req, res) => void res.end())
    const { url, close } = await listen(app)
    const statuses: number[] = []
    for (let i = 0; i < 11; i++) statuses.push((await fetch(url)).status)
    await close()
    expect(statuses).toEqual([...Array<number>(10).fill(200), 429])
  })

  it('a middleware made without a limiter has a store of its own', async () => {
    const app = express()
    for (const path of ['/a', '/b']) {
      app.get(path, halt({ policy, exemptPrivateIps: false }), (req, res) => void res.end())
    }
    const { url, close } = await listen(app)
    const statuses: number[] = []
    for (const path of ['/a', '/a', '/b', '/b']) statuses.push((await fetch(url + path)).status)
    await close()
    expect(statuses).toEqual([200, 429, 200, 429])
  })

  it('a middleware made without a limiter asks a policy function for each request', async () => {
    const app = express()
    const roomy = { ...policy, name: 'roomy', limit: 2 }
    const options = {
      policy: (req: Request) => (req.get('x-plan') === 'pro' ? roomy : policy),
      exemptPrivateIps: false,
    }
    app.get('/', halt(options), (req, res) => void res.end())
    const { url, close } = await listen(app)
    const ask = async (headers = {}): Promise<number> => (await fetch(url, { headers })).status
    const statuses = [
      await ask(),
      await ask(),
      await ask({ 'x-plan': 'pro' }),
      await ask({ 'x-plan': 'pro' }),
    ]
    await close()
    expect(statuses).toEqual([200, 429, 200, 200])
  })
})

describe('"trust proxy"', () => {
  async function warnings(trust: unknown, options: Partial<HaltOptions>): Promise<string[]> {
    const codes: string[] = []
    const app = express()
    app.set('trust proxy', trust)
    const given = {
      policy,
      warn: ({ code }: { code: string }) => codes.push(code),
      exemptPrivateIps: false,
      ...options,
    }
    app.get('/', halt(given as HaltOptions), (req, res) => void res.end())
    const { url, close } = await listen(app)
    for (let i = 0; i < 3; i++) await fetch(url)
    await close()
    return codes
  }

  it('Halt warns once of "trust proxy" if trustedProxies is empty', async () => {
    expect(await warnings(true, {})).toEqual(['HALT_W_TRUST_PROXY_IGNORED'])
    expect(await warnings(1, { trustedProxies: [] })).toEqual(['HALT_W_TRUST_PROXY_IGNORED'])
    expect(await warnings('loopback', {})).toEqual(['HALT_W_TRUST_PROXY_IGNORED'])
  })

  it('Halt does not warn of "trust proxy" that is off, or beside options that find the client', async () => {
    expect(await warnings(true, { trustedProxies: ['loopback'] })).toEqual([])
    expect(await warnings(true, { trustedProxies: () => false })).toEqual([])
    expect(await warnings(true, { clientIp: () => '203.0.113.7' })).toEqual([])
    expect(await warnings(false, {})).toEqual([])
  })

  it('"trust proxy" does not change the address that Halt counts', async () => {
    const app = express()
    app.set('trust proxy', true)
    app.get('/', halt({ policy, exemptPrivateIps: false, warn: () => {} }), (req, res) => void res.end())
    const { url, close } = await listen(app)
    const statuses: number[] = []
    for (const ip of ['203.0.113.1', '203.0.113.2']) {
      statuses.push((await fetch(url, { headers: { 'X-Forwarded-For': ip } })).status)
    }
    await close()
    expect(statuses).toEqual([200, 429])
  })
})

it('halt() warns if two middlewares have policies of one name on separate stores', async () => {
  const codes: string[] = []
  const twice = { name: 'twice', limit: 1, window: 60 }
  const guard = (): ReturnType<typeof halt> =>
    halt({ policy: twice, exemptPrivateIps: false, warn: ({ code }) => void codes.push(code) })
  const app = express()
  const one = guard()
  app.get('/a', one, (_req, res) => void res.end())
  app.get('/b', one, (_req, res) => void res.end())
  expect(codes).toEqual([])
  app.get('/c', guard(), (_req, res) => void res.end())
  expect(codes).toEqual(['HALT_W_COUNTER_SPLIT'])
  const { url, close } = await listen(app)
  const statuses: number[] = []
  for (const path of ['/a', '/b', '/c', '/c']) statuses.push((await fetch(url + path)).status)
  await close()
  expect(statuses).toEqual([200, 429, 200, 429])
})

it('an error for a wrong option has a stack that begins at the call of halt()', () => {
  expect(firstLine(() => halt({} as HaltOptions))).toContain('halt.test.ts')
  expect(firstLine(() => halt({ policy: { ...policy, limit: 0 } }))).toContain('halt.test.ts')
})

/** The first line of the stack of a thrown error. */
function firstLine(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).stack?.split('\n')[1] ?? ''
  }
  return 'nothing was thrown'
}
