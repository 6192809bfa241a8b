import { describe, expect, it } from 'vitest'

import type { Policy } from '../../src/index.ts'
import { world } from '../world.ts'

const policy: Policy = { name: 'p', limit: 1, window: 60 }
/** A request as Node has it, with a socket of some state. */
const nodes = (socket: object | undefined, more: object = {}): object => ({
  method: 'POST',
  url: '/login',
  headers: {},
  rawHeaders: [],
  socket,
  ...more,
})
const departed = { destroyed: true, remoteAddress: undefined }
/** Node has read the request, and not yet that its connection was reset. */
const reset = { destroyed: false, remoteAddress: undefined, localAddress: '127.0.0.1' }
const unix = { destroyed: false, remoteAddress: undefined, localAddress: undefined }

describe('a request whose client departed before its address was read', () => {
  it.each([
    ['over HTTP/1', nodes(departed)],
    ['over HTTP/1, also before Node has noticed a reset', nodes(reset)],
    ['over HTTP/2, where the socket is gone too', nodes(undefined, { stream: { destroyed: true } })],
    ['in Fastify', { method: 'POST', url: '/login', headers: {}, raw: nodes(departed) }],
    ['in a view that says so', { method: 'POST', path: '/login', headers: {}, request: {}, departed: true }],
  ])('a departed client is refused %s, and not counted as one without an address', async (_, request) => {
    const { limiter, codes } = world()
    const one = limiter(policy)
    expect(await one.check(request)).toMatchObject({ allowed: false, reason: 'missing-key' })
    expect(codes()).toEqual([])
    // The counter of requests without an address is untouched.
    expect(await one.check(nodes(unix))).toMatchObject({ allowed: true, key: 'ip:unknown' })
    expect(codes()).toEqual(['HALT_W_NO_ADDRESS'])
  })

  it('a departed client is refused also when the limiter has seen so many requests that addresses alone decide', async () => {
    const { limiter, codes } = world()
    const one = limiter({ ...policy, limit: 2000 })
    const request = nodes({ destroyed: false, remoteAddress: '203.0.113.7' })
    for (let i = 0; i < 1000; i++) await one.check(request)
    expect(await one.check(nodes(departed))).toMatchObject({ allowed: false, reason: 'missing-key' })
    expect(codes()).toEqual([])
    expect(await one.check(nodes(unix))).toMatchObject({ allowed: true, key: 'ip:unknown', remaining: 1999 })
    expect(codes()).toEqual(['HALT_W_NO_ADDRESS'])
  })

  it.each([
    ['a composite key', { keyStrategy: 'composite' }],
    ['an unverified API key', { keyStrategy: 'api-key' }],
    ['a user who is not known', { keyStrategy: 'user' }],
  ] as const)('a request of a departed client is refused for a policy by %s', async (_, fields) => {
    const { limiter } = world()
    const headers = fields.keyStrategy === 'user' ? {} : { 'x-api-key': 'k1' }
    const decision = await limiter({ ...policy, ...fields }).check(nodes(departed, { headers }))
    expect(decision).toMatchObject({ allowed: false, reason: 'missing-key' })
  })

  it('a request of a departed client is counted for a policy that needs no address', async () => {
    const { limiter } = world()
    const shared = limiter({ ...policy, keyStrategy: 'shared' })
    const user = limiter({ ...policy, keyStrategy: 'user' })
    expect(await shared.check(nodes(departed))).toMatchObject({ allowed: true })
    expect(await user.check(nodes(departed, { user: { id: 'ann' } }))).toMatchObject({ allowed: true })
  })

  it('a request of a departed client scores no violation', async () => {
    const { limiter } = world()
    const penalty = { threshold: 1, duration: 60, multiplier: 0.1, cooldown: 0 }
    const one = limiter({ ...policy, limit: 10, keyStrategy: 'composite' }, { penalty })
    const by = (socket: object): object => nodes(socket, { user: { id: 'ann' } })
    for (let i = 0; i < 3; i++) await one.check(by(departed))
    expect(await one.check(by({ destroyed: false, remoteAddress: '203.0.113.7' }))).toMatchObject({
      limit: 10,
    })
  })

  it('a request of a departed client is counted when its address was read in time', async () => {
    const { limiter } = world()
    const request = nodes({ destroyed: true, remoteAddress: '203.0.113.7' })
    expect(await limiter(policy).check(request)).toMatchObject({ allowed: true, key: 'ip:203.0.113.7' })
  })
})
