import { presets } from '@halt/core'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { halt, viewOf } from '../src/index.ts'
import { ask, makeLimiter } from './ask.ts'

describe('viewOf', () => {
  it('viewOf gives a limiter the same view as a guard', async () => {
    const limiter = makeLimiter('api', 2)
    const app = new Hono().use(halt({ limiter, getConnInfo }))
    app.get('/ask', async c => {
      const { key, remaining } = await limiter.check(viewOf(c, getConnInfo))
      return c.json({ key, remaining })
    })
    expect(JSON.parse((await ask(app)).body)).toEqual({ key: 'ip:127.0.0.1', remaining: 0 })
  })

  it('a view has no address if getConnInfo is missing or throws', async () => {
    const app = new Hono().get('/ask', c => {
      const broken = viewOf(c, () => {
        throw new Error('another runtime')
      })
      return c.json([viewOf(c).ip ?? null, broken.ip ?? null])
    })
    expect((await ask(app)).body).toBe('[null,null]')
  })
})

describe('getConnInfo', () => {
  it('getConnInfo never fails a request, whatever it throws', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    for (const value of [Object.create(null), Symbol('odd'), proxy, undefined]) {
      const broken = (): never => {
        throw value
      }
      const app = new Hono().use(halt({ limiter: makeLimiter('api', 1), getConnInfo: broken }))
      app.get('/', c => c.text(c.get('halt')?.key ?? ''))
      expect(await (await app.request('/')).text()).toBe('ip:unknown')
    }
  })

  it('an async getConnInfo never ends the process, and gets a warning', async () => {
    const messages: string[] = []
    const app = new Hono().use(
      halt({
        policy: presets.PUBLIC_API,
        warn: ({ message }) => void messages.push(message),
        getConnInfo: (async () => Promise.reject(new Error('no'))) as never,
      }),
    )
    app.get('/', c => c.text(c.get('halt')?.key ?? ''))
    expect(await (await app.request('/')).text()).toBe('ip:unknown')
    expect(messages).toContain('getConnInfo failed: it returned a promise, and Halt does not wait for it.')
  })
})
