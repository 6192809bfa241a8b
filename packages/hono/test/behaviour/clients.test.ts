import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import { jwt, sign } from 'hono/jwt'
import { describe, expect, it } from 'vitest'

import { type GetConnInfo, halt, type HaltOptions } from '../../src/index.ts'
import { listen, statuses } from '../adapter.ts'

const policy = { name: 'api', limit: 1, window: 60 }

/** An app behind a guard, and the warnings of the guard. */
function guarded(more: Partial<HaltOptions>): { app: Hono; warned: string[] } {
  const warned: string[] = []
  const warn = ({ code }: { code: string }): void => void warned.push(code)
  const options = { policy, exemptPrivateIps: false, warn, ...more } as HaltOptions
  return { app: new Hono().get('/', halt(options), c => c.text(c.get('halt')?.key ?? '')), warned }
}

describe('getConnInfo', () => {
  it('getConnInfo gives the address of the peer', async () => {
    const { app, warned } = guarded({ getConnInfo })
    const { url, close } = await listen(app)
    expect(await (await fetch(url)).text()).toBe('ip:127.0.0.1')
    await close()
    expect(warned).toEqual([])
  })

  it('getConnInfo separates clients', async () => {
    const peer: GetConnInfo = c => ({ remote: { address: c.req.header('x-peer') } })
    const { app } = guarded({ getConnInfo: peer })
    const ask = async (ip: string): Promise<number> =>
      (await app.request('/', { headers: { 'X-Peer': ip } })).status
    expect([await ask('203.0.113.1'), await ask('203.0.113.2'), await ask('203.0.113.1')]).toEqual([
      200, 200, 429,
    ])
  })

  const without: readonly [string, GetConnInfo | undefined, string[]][] = [
    ['is missing', undefined, []],
    ['knows no address', () => ({ remote: {} }), []],
    ['gives none of the kind', () => ({ remote: { address: 'unix:/run/app.sock' } }), []],
    ['gives what is no text', () => ({ remote: { address: 7 as unknown as string } }), []],
    ['gives nothing', () => undefined as never, ['HALT_W_CALLBACK']],
    [
      'throws',
      () => {
        throw new Error('another runtime')
      },
      ['HALT_W_CALLBACK'],
    ],
  ]
  for (const [what, info, warnings] of without) {
    it(`a getConnInfo that ${what} leaves one counter for everybody, and warns`, async () => {
      const { app, warned } = guarded({ getConnInfo: info })
      const headers = (i: number): Record<string, string> => ({
        'X-Forwarded-For': `203.0.113.${i}`,
        'X-Real-IP': `203.0.113.${i}`,
      })
      const { url, close } = await listen(app)
      const all = [await fetch(url, { headers: headers(1) }), await fetch(url, { headers: headers(2) })]
      await close()
      expect(all.map(({ status }) => status)).toEqual([200, 429])
      expect(await all[0]?.text()).toBe('ip:unknown')
      expect(warned.toSorted()).toEqual([...warnings, 'HALT_W_NO_ADDRESS'])
    })
  }

  it('getConnInfo of Node leads to a shared counter if the app is called without a connection', async () => {
    const { app, warned } = guarded({ getConnInfo, exemptPrivateIps: true })
    expect([(await app.request('/')).status, (await app.request('/')).status]).toEqual([200, 429])
    expect(warned.toSorted()).toEqual(['HALT_W_CALLBACK', 'HALT_W_NO_ADDRESS'])
  })

  it('getConnInfo is not called if no policy needs an address', async () => {
    const { app, warned } = guarded({ policy: { ...policy, keyStrategy: 'shared' } })
    expect(await statuses(app, '/', '/')).toEqual([200, 429])
    expect(warned).toEqual([])
  })

  it('clientIp wins over getConnInfo', async () => {
    const clientIp = (c: { req: { header(name: string): string | undefined } }) =>
      c.req.header('x-platform-ip')
    const { app } = guarded({ getConnInfo, clientIp })
    const ask = async (ip: string): Promise<number> =>
      (await app.request('/', { headers: { 'X-Platform-IP': ip } })).status
    expect([await ask('203.0.113.1'), await ask('203.0.113.2'), await ask('203.0.113.1')]).toEqual([
      200, 200, 429,
    ])
  })
})

describe('the user', () => {
  type Vars = { Variables: Partial<Record<'user' | 'jwtPayload', unknown>> }

  /** The key of a request with these variables. */
  async function keyOf(variables: Vars['Variables']): Promise<string> {
    const app = new Hono<Vars>()
    app.use(async (c, next) => {
      for (const [name, value] of Object.entries(variables)) c.set(name as 'user', value)
      await next()
    })
    app.use(halt({ policy: { ...policy, keyStrategy: 'user' }, exemptPrivateIps: false, getConnInfo }))
    app.get('/', c => c.text(c.get('halt')?.key ?? ''))
    const { url, close } = await listen(app)
    const text = await (await fetch(url)).text()
    await close()
    return text
  }

  const cases: readonly [string, Vars['Variables'], string][] = [
    ['c.get("user").id', { user: { id: '42', sub: '7' } }, 'user:42'],
    ['c.get("user").id, 0 included', { user: { id: 0 } }, 'user:0'],
    ['c.get("user").sub', { user: { sub: '7' } }, 'user:7'],
    ['c.get("jwtPayload").sub', { jwtPayload: { sub: 'ada', id: 'a-new-one-every-time' } }, 'user:ada'],
    ['the user before the token', { user: { id: '42' }, jwtPayload: { sub: 'ada' } }, 'user:42'],
    ['the token where the user has no id', { user: { name: 'Ada' }, jwtPayload: { sub: 'ada' } }, 'user:ada'],
  ]
  for (const [what, variables, key] of cases) {
    it(`the user is ${what}`, async () => {
      expect(await keyOf(variables)).toBe(key)
    })
  }

  for (const [what, variables] of [
    ['there is none', {}],
    ['there is only a name', { user: 'ada' }],
    ['the token has no subject', { jwtPayload: { id: '42' } }],
    ['they are null', { user: null, jwtPayload: null }],
  ] as const) {
    it(`the address replaces the user if ${what}`, async () => {
      expect(await keyOf(variables)).toBe('ip:127.0.0.1')
    })
  }

  it('the user is the subject of the token that jwt() has verified', async () => {
    const app = new Hono()
    app.use(jwt({ secret: 'a secret of a test', alg: 'HS256' }))
    app.use(halt({ policy: { ...policy, keyStrategy: 'user' }, getConnInfo, exemptPrivateIps: false }))
    app.get('/', c => c.text('ok'))
    const { url, close } = await listen(app)
    const ask = async (sub: string): Promise<number> => {
      const token = await sign({ sub, jti: String(Math.random()) }, 'a secret of a test')
      return (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).status
    }
    expect([await ask('ada'), await ask('bob'), await ask('ada')]).toEqual([200, 200, 429])
    await close()
  })
})
