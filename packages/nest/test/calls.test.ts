import type { ExecutionContext } from '@nestjs/common'
import { lastValueFrom, of, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'

import { CallGuard } from '../src/guard/call-guard.ts'
import { callReader } from '../src/calls/index.ts'
import { HaltInterceptor, RateLimit, RateLimitException, sendLimited } from '../src/index.ts'
import { Runtime } from '../src/guard/runtime.ts'
import { callAtEnd } from '../src/guard/subscription.ts'
import { LOCAL } from './app.ts'

class Host {
  handler() {}
}

/** A context as Nest's transports make it that are not installed here. */
function contextOf(
  type: string,
  args: unknown[],
  handler: () => void = Host.prototype.handler,
): ExecutionContext {
  return {
    getType: () => type,
    getArgs: () => args,
    getArgByIndex: (index: number) => args[index],
    getClass: () => Host,
    getHandler: () => handler,
  } as unknown as ExecutionContext
}

const policy = { name: 'global', limit: 1, window: 60 } as const
const runtimeOf = (options: object = {}): Runtime => new Runtime({ ...LOCAL, policy, ...options } as never)
const read = (type: string, ...args: unknown[]) => callReader(runtimeOf().limiter)(contextOf(type, args))

describe('a call', () => {
  it('over gRPC comes from its peer, with its metadata for headers', () => {
    const metadata = { getMap: () => ({ authorization: 'Bearer key' }) }
    for (const [peer, ip] of [
      ['ipv4:203.0.113.7:4711', '203.0.113.7:4711'],
      ['ipv6:[2001:db8::1]:4711', '[2001:db8::1]:4711'],
    ]) {
      const { view } = read('rpc', {}, metadata, { getPeer: () => peer })
      expect(view).toMatchObject({ ip, headers: { authorization: 'Bearer key' }, route: 'Host.handler' })
    }
  })

  it('over gRPC is refused in its words', async () => {
    const callGuard = new CallGuard(runtimeOf())
    const call = { getPeer: () => 'ipv4:203.0.113.7:4711' }
    await callGuard.enter(contextOf('rpc', [{}, {}, call]))
    const refused = (): unknown => callGuard.enter(contextOf('rpc', [{}, {}, call]))
    expect(refused).toThrow('Too many requests')
    try {
      refused()
    } catch (error) {
      expect((error as { getError(): object }).getError()).toMatchObject({
        code: 8,
        error: 'rate_limit_exceeded',
      })
    }
  })

  it('through a broker has no address, whatever its data says', () => {
    expect(read('rpc', { ip: '1.2.3.4', userId: 'x' }, {}).view).toMatchObject({ ip: undefined, request: {} })
    expect(read('rpc', { userId: 'x' }).view).toMatchObject({ ip: undefined, request: undefined })
  })

  it('over socket.io comes from its handshake, also when the socket is closed by now', () => {
    const headers = { 'x-forwarded-for': '198.51.100.1' }
    const client = {
      handshake: { address: '203.0.113.7', headers, url: '/socket.io/?EIO=4' },
      data: { user: { id: '1' } },
    }
    const view = { ip: '203.0.113.7', headers, path: '/socket.io/', user: { id: '1' }, request: client }
    expect(read('ws', client, {}, 'say').view).toMatchObject(view)
    client.handshake.address = ''
    expect(read('ws', client, {}, 'say').view).toMatchObject(view)
  })

  it('over a WebSocket that keeps its request comes from the peer of that', () => {
    const client = { request: { socket: { remoteAddress: '203.0.113.7' }, headers: {}, url: '/ws' } }
    expect(read('ws', client, {}, 'say').view).toMatchObject({ ip: '203.0.113.7', path: '/ws' })
  })

  it('carries the version of HTTP that the peer spoke, which shows some proxies', () => {
    const request = { headers: {}, url: '/', httpVersion: '1.0', socket: { remoteAddress: '10.0.3.7' } }
    // A request of Fastify's has it on the one it wraps.
    const wrapping = { ...request, httpVersion: undefined, raw: { httpVersion: '1.0' } }
    const polling = { handshake: { address: '10.0.3.7', headers: {}, url: '/socket.io/' }, request }
    for (const { view } of [
      read('http', request),
      read('http', wrapping),
      read('graphql', {}, {}, { req: request }),
      read('graphql', {}, {}, { req: wrapping }),
      read('ws', polling, {}, 'say'),
      read('ws', { request }, {}, 'say'),
    ])
      expect(view.httpVersion).toBe('1.0')
  })

  it('of GraphQL is found in the contexts of other drivers', () => {
    const request = { headers: {}, url: '/graphql', socket: { remoteAddress: '203.0.113.7' } }
    const info = { fieldName: 'f', parentType: { name: 'Query' }, path: { prev: undefined } }
    const reply = { request, getHeader: () => undefined }
    for (const context of [{ request }, { reply }, { extra: { request } }, { req: { extra: { request } } }]) {
      const { view, nested } = read('graphql', {}, {}, context, info)
      expect(view).toMatchObject({ ip: '203.0.113.7', path: '/graphql', route: 'Query.f' })
      expect(nested).toBe(false)
    }
    expect(read('graphql', {}, {}, { reply }, info).response).toBe(reply)
    expect(read('graphql', {}, {}, undefined, info).view).toMatchObject({ ip: undefined, path: '/' })
  })

  it('of GraphQL for an entity of a federated graph is counted like a root field', () => {
    const info = {
      fieldName: '_entities',
      parentType: { name: 'Query' },
      path: { key: 0, prev: { key: '_entities' } },
    }
    const request = { headers: {}, url: '/graphql', socket: { remoteAddress: '203.0.113.7' } }
    expect(read('graphql', { __typename: 'Item' }, { req: request }, info)).toMatchObject({
      nested: false,
      view: { ip: '203.0.113.7' },
    })
    expect(read('graphql', {}, {}, { req: request }, info).nested).toBe(true)
  })
})

describe('a handler that Nest’s discovery does not know', () => {
  function unknown(): void {}
  RateLimit('unknown')(Host.prototype, 'unknown', { value: unknown })

  it('is refused with 503 when its decorator is wrong: neither open nor broken', () => {
    const callGuard = new CallGuard(runtimeOf({ warn: () => {} }))
    const refused = (): unknown => callGuard.enter(contextOf('http', [requestOf(), responseOf()], unknown))
    expect(refused).toThrow(RateLimitException)
    expect(refused).toThrow(
      expect.objectContaining({ decision: expect.objectContaining({ reason: 'policy-error' }) }),
    )
  })

  it('is decided by the fallback policy where there is one', () => {
    const callGuard = new CallGuard(runtimeOf({ warn: () => {}, fallbackPolicy: policy }))
    expect(callGuard.enter(contextOf('http', [requestOf(), responseOf()], unknown))).toBe(true)
  })
})

const requestOf = () => ({ method: 'GET', url: '/', headers: {}, socket: { remoteAddress: '203.0.113.7' } })
const responseOf = () => {
  const headers: Record<string, string> = {}
  return {
    headers,
    headersSent: false,
    once: () => {},
    getHeader: (name: string) => headers[name],
    setHeader: (name: string, value: string) => void (headers[name] = value),
  }
}

describe('sendLimited', () => {
  it('in an enhancer refuses as the guard does', async () => {
    const runtime = runtimeOf({ errorFormat: 'problem', statusCode: 420 })
    const response = responseOf()
    const context = contextOf('http', [requestOf(), response])
    await new CallGuard(runtime).enter(context)
    const decision = {
      allowed: false,
      reason: 'limited',
      retryAfter: 7,
      limit: 1,
      remaining: 0,
      resetAt: 9,
      verdicts: [],
    }
    expect(() => sendLimited(context, decision as never)).toThrow(expect.objectContaining({ status: 420 }))
    expect(response.headers).toMatchObject({
      'Retry-After': '7',
      'Content-Type': expect.stringContaining('problem'),
    })
    expect(() => sendLimited(contextOf('rpc', [{}, {}]), decision as never)).toThrow('Too many requests')
  })
})

describe('the end of a call without a response', () => {
  async function ended(handled: Parameters<typeof lastValueFrom>[0]): Promise<unknown[]> {
    const seen: unknown[] = []
    const runtime = runtimeOf({ chargeWhen: (result: unknown) => void seen.push(result) })
    const context = contextOf('rpc', [{}, {}])
    await new CallGuard(runtime).enter(context)
    const result = new HaltInterceptor().intercept(context, { handle: () => handled })
    await lastValueFrom(result).catch(() => undefined)
    return seen
  }

  it('is told to chargeWhen with the value, or with the status of what was thrown', async () => {
    const error = new Error('broken')
    const refused = Object.assign(new Error('no'), { getStatus: () => 401 })
    expect(await ended(of(1))).toEqual([{ statusCode: 200, value: 1 }])
    expect(await ended(throwError(() => error))).toEqual([{ statusCode: 500, error }])
    expect(await ended(throwError(() => refused))).toEqual([{ statusCode: 401, error: refused }])
  })

  it('of a subscription is once: exhausted, failed, returned or thrown into', async () => {
    async function* values(fail: boolean) {
      yield 1
      if (fail) throw new Error('broken')
    }
    for (const end of [
      async (iterator: AsyncIterator<unknown>) => void (await iterator.next()),
      async (iterator: AsyncIterator<unknown>) => void (await iterator.return?.()),
      async (iterator: AsyncIterator<unknown>) =>
        void (await iterator.throw?.(new Error('no')).catch(() => {})),
    ]) {
      let times = 0
      const iterator = callAtEnd(values(false), () => times++)
      await iterator.next()
      expect(times).toBe(0)
      await end(iterator)
      await end(iterator)
      expect(times).toBe(1)
    }
    let failures = 0
    const failingLimiter = callAtEnd(values(true), () => failures++)
    await failingLimiter.next()
    await expect(failingLimiter.next()).rejects.toThrow('broken')
    expect(failures).toBe(1)
    // One that can only be read.
    const bare = callAtEnd({ next: async () => ({ done: false, value: 1 }) }, () => failures++)
    expect(await bare.return?.(2)).toEqual({ done: true, value: 2 })
    await expect(bare.throw?.(new Error('no'))).rejects.toThrow('no')
    expect(failures).toBe(2)
  })
})
