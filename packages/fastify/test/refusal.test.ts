import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Decision, RateLimiter } from '@halt/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { describe, expect, it } from 'vitest'

import { halt, type LimitedContext, type LimitedError, sendLimited } from '../src/index.ts'
import { listen, makeApp, makeLimiter } from './server.ts'

/** A stream of one text that begins later than a callback may take. */
function slowly(text: string): Readable {
  return Readable.from(
    (async function* () {
      await sleep(80)
      yield text
    })(),
  )
}

function hijack(reply: FastifyReply): FastifyReply {
  setTimeout(() => reply.raw.end('mine'), 80)
  return reply.hijack()
}

describe('throwOnLimited', () => {
  it('hands the refusal to setErrorHandler with statusCode, code and decision', async () => {
    const app = makeApp()
    let seen: LimitedError | undefined
    app.setErrorHandler<LimitedError>((error, _request, reply) => {
      seen = error
      return reply.code(error.statusCode).send({ slow: error.decision.retryAfter })
    })
    await app.register(halt, { limiter: makeLimiter(1), throwOnLimited: true })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect(refused.status).toBe(429)
    expect(await refused.json()).toEqual({ slow: 60 })
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(refused.headers.get('ratelimit-limit')).toBe('1')
    expect(seen).toMatchObject({ statusCode: 429, code: 'HALT_E_LIMITED', name: 'LimitedError' })
    expect(seen?.body).toMatchObject({ error: 'rate_limit_exceeded', retry_after: 60 })
  })

  it('is answered by Fastify itself when nobody else does', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(1), throwOnLimited: true })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect(refused.status).toBe(429)
    expect(await refused.json()).toEqual({
      statusCode: 429,
      code: 'HALT_E_LIMITED',
      error: 'Too Many Requests',
      message: 'Too many requests. Please try again later.',
    })
  })

  it('may be chosen by one route', async () => {
    const app = makeApp()
    app.setErrorHandler((_error, _request, reply) => reply.code(418).send())
    await app.register(halt, { limiter: makeLimiter(1) })
    app.get('/', () => 'ok')
    app.get('/thrown', { config: { halt: { throwOnLimited: true } } }, () => 'ok')
    const get = await listen(app)
    await get('/')
    expect((await get('/')).status).toBe(429)
    expect((await get('/thrown')).status).toBe(418)
  })
})

describe('onLimited', () => {
  it.each([
    ['sends', (_: Decision, { reply }: LimitedContext) => void reply.send({ mine: 1 })],
    ['returns the reply it sends', (_: Decision, { reply }: LimitedContext) => reply.send({ mine: 1 })],
    ['returns what is to be sent', () => ({ mine: 1 })],
    ['gives it later', async () => ({ mine: 1 })],
  ])('answers when it %s, with headers and status set', async (_how, onLimited) => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(1), onLimited })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(await refused.json()).toEqual({ mine: 1 })
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['never settles', () => new Promise(() => {})],
    ['sends nothing', () => {}],
    [
      'returns the reply without sending it',
      (_: Decision, { reply }: LimitedContext) => reply.header('x', '1'),
    ],
    [
      'gives the reply later without sending it',
      async (_: Decision, { reply }: LimitedContext) => reply.header('x', '1'),
    ],
  ])('that %s leaves the default answer', async (_how, onLimited) => {
    const app = makeApp()
    const limiter = makeLimiter(1, { callbackTimeout: '30ms', warn: () => {} })
    await app.register(halt, { limiter, onLimited })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded' })
  })

  it.each([
    ['sent later', ({ reply }: LimitedContext) => void setTimeout(() => void reply.send('mine'), 10)],
    [
      'sent later than it returned the reply',
      ({ reply }: LimitedContext) => {
        setTimeout(() => void reply.send('mine'), 10)
        return reply
      },
    ],
    ['a stream that is slow to begin', ({ reply }: LimitedContext) => reply.send(slowly('mine'))],
    ['such a stream, without the reply', ({ reply }: LimitedContext) => void reply.send(slowly('mine'))],
    ['such a stream, awaited', async ({ reply }: LimitedContext) => reply.send(slowly('mine'))],
    ['hijacked', ({ reply }: LimitedContext) => hijack(reply)],
    ['hijacked, without the reply', ({ reply }: LimitedContext) => void hijack(reply)],
  ])('is left alone when its answer is %s', async (_what, answer) => {
    const app = makeApp()
    const limiter = makeLimiter(1, { callbackTimeout: '30ms', warn: () => {} })
    await app.register(halt, { limiter, onLimited: (_decision, context) => answer(context) })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect([refused.status, await refused.text()]).toEqual([429, 'mine'])
  })

  it('is left alone while a hook holds its answer back', async () => {
    const app = makeApp()
    app.addHook('onSend', async () => sleep(80))
    const codes: string[] = []
    const warn = ({ code }: { code: string }) => void codes.push(code)
    const limiter = makeLimiter(1, { callbackTimeout: '30ms', warn })
    await app.register(halt, { limiter, onLimited: (_, { reply }) => reply.send('mine') })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    expect(await (await get('/')).text()).toBe('mine')
    expect(codes).toEqual([])
  })

  it('that sends nothing is warned of', async () => {
    const app = makeApp()
    const messages: string[] = []
    const warn = ({ message }: { message: string }) => void messages.push(message)
    const limiter = makeLimiter(1, { callbackTimeout: '30ms', warn })
    await app.register(halt, { limiter, onLimited: (_, { reply }) => reply.header('x', '1') })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect([refused.headers.get('x'), refused.headers.get('retry-after')]).toEqual(['1', '60'])
    expect(messages).toEqual(['onLimited sent no answer within 30 ms.'])
  })

  it('may choose its own status', async () => {
    const app = makeApp()
    await app.register(halt, {
      limiter: makeLimiter(1),
      onLimited: (_decision, { reply }) => reply.code(420).send('calm'),
    })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect([refused.status, await refused.text()]).toEqual([420, 'calm'])
  })
})

describe('the default answer', () => {
  it('is a problem document when asked for, in any header dialect', async () => {
    const app = makeApp()
    await app.register(halt, {
      limiter: makeLimiter(1),
      errorFormat: 'problem',
      headers: 'draft-8',
      statusCode: 430,
    })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect(refused.status).toBe(430)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(refused.headers.get('ratelimit')).toBe('"global"; r=0; t=60')
    expect(await refused.json()).toMatchObject({
      title: 'Too Many Requests',
      'violated-policies': ['global'],
    })
  })

  it('is not touched by a serializer that another hook chose', async () => {
    const app = makeApp()
    app.addHook('onRequest', async (_request, reply) => void reply.serializer(() => 'mangled'))
    await app.register(halt, { limiter: makeLimiter(1) })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    expect(await (await get('/')).json()).toMatchObject({ error: 'rate_limit_exceeded' })
  })

  it('is 503 while a store that must answer does not', async () => {
    const app = makeApp()
    const store = { evaluate: () => Promise.reject(new Error('away')), forget: () => 0 }
    await app.register(halt, { limiter: makeLimiter(1, { store, onStoreError: 'closed', warn: () => {} }) })
    app.get('/', () => 'ok')
    const get = await listen(app)
    const refused = await get('/')
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
  })
})

describe('sendLimited', () => {
  const decide = (limiter: RateLimiter<FastifyRequest>) => async (request: FastifyRequest) =>
    limiter.check(request, { cost: 10 })

  it('answers as the guard of the request would', async () => {
    const app = makeApp()
    const check = decide(makeLimiter(5))
    await app.register(halt, { limiter: makeLimiter(9), errorFormat: 'problem', statusCode: 430 })
    app.get('/', async (request, reply) => {
      const decision = await check(request)
      return decision.allowed ? 'ok' : sendLimited({ request, reply }, decision)
    })
    const get = await listen(app)
    const refused = await get('/')
    expect(refused.status).toBe(430)
    expect(refused.headers.get('content-type')).toContain('problem+json')
    expect(refused.headers.get('ratelimit-limit')).toBe('5')
    expect(refused.headers.get('retry-after')).toBeNull()
  })

  it('works without the plugin', async () => {
    const app = makeApp()
    const check = decide(makeLimiter(5))
    app.get('/', async (request, reply) => sendLimited({ request, reply }, await check(request)))
    const get = await listen(app)
    const refused = await get('/')
    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded', retry_after: null })
  })
})
