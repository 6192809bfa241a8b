import { describe, expect, it, vi } from 'vitest'

import { halt, type ClientIp, viewOf } from '../src/index.ts'
import { limitOf, makeLimiter, request } from './scene.ts'

/** Checks a request, and gives the key that it was counted under and the warnings. */
async function keyOf(
  clientIp: ClientIp | undefined,
  headers: Record<string, string>,
  context?: unknown,
  more: Parameters<typeof makeLimiter>[1] = {},
): Promise<{ key: string | undefined; reason: string | undefined; warned: string[] }> {
  const { limiter, warned } = makeLimiter(limitOf(5), more)
  const { decision } = await halt({ limiter, clientIp }).check(request(headers), context)
  return { key: decision?.key, reason: decision?.reason, warned }
}

const onBun = (address: string | null): unknown => ({
  requestIP: () => (address === null ? null : { address }),
})
const onDeno = (remoteAddr: object): unknown => ({ remoteAddr })
const onNode = (remoteAddress: string): unknown => ({ incoming: { socket: { remoteAddress } } })

const ADDRESS = '203.0.113.7'
const TOLD: readonly (readonly [ClientIp, Record<string, string>, unknown])[] = [
  ['vercel', { 'x-vercel-forwarded-for': ADDRESS }, undefined],
  ['cloudflare', { 'cf-connecting-ip': ADDRESS }, undefined],
  ['netlify', { 'x-nf-client-connection-ip': ADDRESS }, undefined],
  ['netlify', { 'x-nf-client-connection-ip': '6.6.6.6' }, { ip: ADDRESS }],
  ['fly', { 'fly-client-ip': ADDRESS }, undefined],
  ['bun', {}, onBun(ADDRESS)],
  ['deno', {}, onDeno({ transport: 'tcp', hostname: ADDRESS, port: 1 })],
  ['node', {}, onNode(ADDRESS)],
]

describe('a platform', () => {
  it.each(TOLD)('the platform "%s" tells the address of the client', async (platform, headers, context) => {
    // Headers that other platforms set and that clients may send
    const forged = { 'x-forwarded-for': '6.6.6.6', 'x-real-ip': '6.6.6.6', ...headers }
    expect(await keyOf(platform, forged, context)).toMatchObject({ key: `ip:${ADDRESS}` })
  })

  it.each(TOLD)('the platform "%s" gives all requests one counter elsewhere, and warns', async platform => {
    const others = { 'x-forwarded-for': '6.6.6.6', 'x-real-ip': '6.6.6.6', 'x-client-ip': '6.6.6.6' }
    const { key, warned } = await keyOf(platform, others, { waitUntil() {} })
    expect([key, warned]).toEqual(['ip:unknown', ['HALT_W_NO_ADDRESS']])
  })

  it.each(['garbage', '203.0.113.7, 203.0.113.8', ''])('the text "%s" tells no address', async text => {
    expect((await keyOf('fly', { 'fly-client-ip': text })).key).toBe('ip:unknown')
  })

  it('a private address that a platform tells is not exempt', async () => {
    const { key, reason, warned } = await keyOf('cloudflare', { 'cf-connecting-ip': '10.0.0.9' })
    expect([key, reason, warned]).toEqual(['ip:10.0.0.9', 'ok', []])
  })

  it('a platform without an address in its context gives all requests one counter', async () => {
    expect((await keyOf('bun', {}, onBun(null))).key).toBe('ip:unknown')
    expect((await keyOf('deno', {}, onDeno({ transport: 'unix', path: '/a' }))).key).toBe('ip:unknown')
  })
})

describe('the socket that Bun, Deno and Node tell', () => {
  it('the socket of a runtime may belong to a trusted proxy, which names the client', async () => {
    const headers = { 'x-forwarded-for': `6.6.6.6, ${ADDRESS}` }
    const { key } = await keyOf('bun', headers, onBun('10.0.0.3'), { trustedProxies: ['10.0.0.0/8'] })
    expect(key).toBe(`ip:${ADDRESS}`)
  })

  it('the socket of a runtime is exempt if it is private, and forwards for nobody', async () => {
    expect((await keyOf('deno', {}, onDeno({ hostname: '127.0.0.1' }))).reason).toBe('exempt')
    const { reason, warned } = await keyOf('node', { 'x-forwarded-for': ADDRESS }, onNode('127.0.0.1'))
    expect([reason, warned]).toEqual(['ok', ['HALT_W_UNTRUSTED_PROXY']])
  })

  it('the socket is found where h3, Nitro and other servers on Node put it', async () => {
    const { limiter } = makeLimiter(limitOf(5))
    const limit = halt({ limiter, clientIp: 'node' })
    const req = { socket: { remoteAddress: ADDRESS } }
    const bySrvx = Object.assign(request(), { runtime: { name: 'node', node: { req } } })
    expect((await limit.check({ req: bySrvx })).decision?.key).toBe(`ip:${ADDRESS}`)
    expect((await limit.check(request(), { req })).decision?.key).toBe(`ip:${ADDRESS}`)
  })
})

describe('a function', () => {
  it('a function as clientIp gets the request and the context', async () => {
    const clientIp = (given: Request, context: unknown): string =>
      `${given.headers.get('x-first')}.${String(context)}`
    expect((await keyOf(clientIp, { 'x-first': '203.0.113' }, 9)).key).toBe('ip:203.0.113.9')
  })

  it.each([
    ['throws', (): string => JSON.parse('no')],
    ['returns a promise', (async () => ADDRESS) as unknown as () => string],
    ['returns a promise that rejects', (async () => JSON.parse('no')) as unknown as () => string],
  ])('a function as clientIp that %s tells no address, and Halt warns', async (_, clientIp) => {
    const { key, warned } = await keyOf(clientIp, {})
    expect(key).toBe('ip:unknown')
    expect(warned.toSorted()).toEqual(['HALT_W_CALLBACK', 'HALT_W_NO_ADDRESS'])
  })

  it('a function as clientIp that returns nothing leaves the address to the limiter', async () => {
    const { key } = await keyOf(() => undefined, {}, undefined, { clientIp: () => ADDRESS })
    expect(key).toBe(`ip:${ADDRESS}`)
  })
})

describe('clientIp', () => {
  it.each([['heroku'], ['toString'], [5], [null]])('clientIp cannot be %j', value => {
    const wrong = (): unknown => halt({ policy: limitOf(1), clientIp: value as never })
    expect(wrong).toThrow(
      expect.objectContaining({
        code: 'HALT_E_OPTION',
        message: expect.stringContaining('"vercel", "cloudflare", "netlify", "fly", "bun", "deno", "node"'),
      }),
    )
  })

  it('a view that a handler makes has the address of clientIp', async () => {
    const { limiter } = makeLimiter(limitOf(5))
    const view = viewOf(request({ 'fly-client-ip': ADDRESS }), 'fly')
    expect((await limiter.check(view)).key).toBe(`ip:${ADDRESS}`)
    const { hops, decision } = await limiter.explain(view)
    expect([decision.key, hops.map(({ why }) => why)]).toEqual([
      `ip:${ADDRESS}`,
      [expect.stringContaining('named by the platform')],
    ])
  })

  it('clientIp is not called for a skipped request', async () => {
    const clientIp = vi.fn<() => string>(() => ADDRESS)
    const limit = halt({ policy: limitOf(1), clientIp, skip: () => true })
    await limit.check(request())
    expect(clientIp).not.toHaveBeenCalled()
  })
})
