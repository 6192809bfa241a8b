import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Decision } from '@halt/core'
import type { FastifyReply } from 'fastify'
import { describe, expect, it } from 'vitest'

import { halt, type LimitedContext } from '../src/index.ts'
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

describe('onLimited', () => {
  it.each([
    ['sends', (_: Decision, { reply }: LimitedContext) => void reply.send({ mine: 1 })],
    ['returns the reply it sends', (_: Decision, { reply }: LimitedContext) => reply.send({ mine: 1 })],
    ['returns the payload', () => ({ mine: 1 })],
    ['resolves to the payload', async () => ({ mine: 1 })],
  ])('onLimited answers if it %s, with headers and status set', async (_how, onLimited) => {
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
  ])('an onLimited that %s gets the default answer', async (_how, onLimited) => {
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
    [
      'such a stream, without returning the reply',
      ({ reply }: LimitedContext) => void reply.send(slowly('mine')),
    ],
    ['such a stream, awaited', async ({ reply }: LimitedContext) => reply.send(slowly('mine'))],
    ['hijacked', ({ reply }: LimitedContext) => hijack(reply)],
    ['hijacked, without returning the reply', ({ reply }: LimitedContext) => void hijack(reply)],
  ])('onLimited keeps its answer when that is %s', async (_what, answer) => {
    const app = makeApp()
    const limiter = makeLimiter(1, { callbackTimeout: '30ms', warn: () => {} })
    await app.register(halt, { limiter, onLimited: (_decision, context) => answer(context) })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect([refused.status, await refused.text()]).toEqual([429, 'mine'])
  })

  it('onLimited keeps its answer while a hook delays it', async () => {
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

  it('an onLimited that sends nothing gets a warning', async () => {
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

  it('an onLimited whose answer cannot be sent gets the default answer', async () => {
    const app = makeApp()
    const messages: string[] = []
    const warn = ({ message }: { message: string }) => void messages.push(message)
    // Fastify sends no number as plain text, and throws.
    await app.register(halt, {
      limiter: makeLimiter(1, { warn }),
      onLimited: (_, { reply }) => (void reply.type('text/plain'), 5),
    })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded' })
    expect(messages.length).toBe(1)
  })

  it('onLimited can set another status', async () => {
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
