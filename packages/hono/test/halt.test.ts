import { presets, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { halt, type HaltOptions } from '../src/index.ts'
import { statuses } from './adapter.ts'

const policy = { name: 'api', limit: 1, window: 60 }
const limiter = new RateLimiter<Context>({ store: new InMemoryStore(), policy })

describe('halt() throws for wrong options', () => {
  const wrong: readonly [string, object, string][] = [
    ['an unknown option', { policy, windowMs: 60_000 }, 'HALT_E_UNKNOWN_FIELD'],
    ['a limiter beside options of one', { limiter, exemptPrivateIps: false }, 'HALT_E_LIMITER'],
    ['neither limiter nor policy', {}, 'HALT_E_POLICY'],
    ['a wrong policy beside a limiter', { limiter, policy: { ...policy, limit: '5' } }, 'HALT_E_LIMIT'],
    ['a getConnInfo that is not a function', { limiter, getConnInfo: { remote: {} } }, 'HALT_E_OPTION'],
    ['an onLimited that is not a function', { limiter, onLimited: 'no' }, 'HALT_E_OPTION'],
  ]
  for (const [what, options, code] of wrong) {
    it(`halt() throws ${code} for ${what}`, () => {
      expect(() => halt(options as HaltOptions)).toThrowError(expect.objectContaining({ code }))
    })
  }

  it('halt() treats undefined as absent', () => {
    expect(() => halt({ limiter, getConnInfo: undefined, onLimited: undefined })).not.toThrow()
  })
})

describe('a middleware made without a limiter', () => {
  it('a middleware with AUTH_ENDPOINTS and no limiter limits on localhost', async () => {
    const app = new Hono()
      .use(halt({ policy: presets.AUTH_ENDPOINTS, getConnInfo }))
      .get('/', c => c.text('ok'))
    expect(await statuses(app, ...Array<string>(11).fill('/'))).toEqual([...Array<number>(10).fill(200), 429])
  })

  it('a middleware made without a limiter has a store of its own', async () => {
    const guard = (): ReturnType<typeof halt> => halt({ policy, exemptPrivateIps: false, getConnInfo })
    const app = new Hono().get('/a', guard(), c => c.text('ok')).get('/b', guard(), c => c.text('ok'))
    expect(await statuses(app, '/a', '/a', '/b', '/b')).toEqual([200, 429, 200, 429])
  })

  it('a middleware warns if another one has a policy of the same name on a separate store', async () => {
    const codes: string[] = []
    const twice = { name: 'twice', limit: 5, window: 60 }
    const guard = (): ReturnType<typeof halt> =>
      halt({ policy: twice, getConnInfo, exemptPrivateIps: false, warn: ({ code }) => void codes.push(code) })
    const app = new Hono().get('/a', guard(), c => c.text('ok')).get('/b', guard(), c => c.text('ok'))
    expect(await statuses(app, '/a', '/b')).toEqual([200, 200])
    expect(codes).toEqual(['HALT_W_COUNTER_SPLIT'])
  })

  it('a middleware made without a limiter asks a policy function for each request', async () => {
    const roomy = { ...policy, name: 'roomy', limit: 2 }
    const resolver = (c: Context): typeof policy => (c.req.query('plan') === 'pro' ? roomy : policy)
    const app = new Hono().use(halt({ policy: resolver, exemptPrivateIps: false, getConnInfo }))
    app.get('/', c => c.text('ok'))
    expect(await statuses(app, '/', '/', '/?plan=pro', '/?plan=pro')).toEqual([200, 429, 200, 200])
  })
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
