import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { describe, expect, it } from 'vitest'

import { halt } from '../../src/index.ts'
import { ask, makeLimiter } from '../ask.ts'

describe('onLimited', () => {
  const answers: readonly [string, (c: Context) => Response | Promise<Response>][] = [
    ['a response made with c', c => c.json({ mine: true }, 418)],
    ['a new Response', () => Response.json({ mine: true }, { status: 418 })],
    ['a response that comes later', async c => c.json({ mine: await Promise.resolve(true) }, 418)],
  ]
  for (const [what, custom] of answers) {
    it(`onLimited can answer with ${what}`, async () => {
      const app = new Hono().use(
        halt({ limiter: makeLimiter('api', 1), getConnInfo, onLimited: (_, c) => custom(c) }),
      )
      const { status, headers, body } = await ask(
        app.get('/ask', c => c.text('ok')),
        2,
      )
      expect([status, body, headers.get('retry-after')]).toEqual([418, '{"mine":true}', '60'])
      expect(headers.get('cache-control')).toBe('no-store')
    })
  }

  it('onLimited may answer each request by one constant response', async () => {
    const constant = Response.json({ mine: true }, { status: 418 })
    const app = new Hono().use(
      halt({ limiter: makeLimiter('api', 1), getConnInfo, onLimited: () => constant }),
    )
    app.get('/ask', c => c.text('ok'))
    for (let i = 0; i < 4; i++) {
      const { status, headers, body } = await ask(app, i === 0 ? 2 : 1)
      expect([i, status, body, headers.get('retry-after')]).toEqual([
        i,
        418,
        '{"mine":true}',
        expect.any(String),
      ])
    }
    expect(constant.headers.has('retry-after')).toBe(false)
  })

  const broken: readonly [string, () => Response][] = [
    ['returns nothing', () => undefined as unknown as Response],
    ['returns no Response', () => 'no' as unknown as Response],
    [
      'throws an HTTPException',
      () => {
        throw new HTTPException(418)
      },
    ],
  ]
  for (const [what, onLimited] of broken) {
    it(`an onLimited that ${what} gets the default answer`, async () => {
      const app = new Hono().use(halt({ limiter: makeLimiter('api', 1), getConnInfo, onLimited }))
      const { status, headers, body } = await ask(
        app.get('/ask', c => c.text('ok')),
        2,
      )
      expect([status, headers.get('retry-after')]).toEqual([429, '60'])
      expect(JSON.parse(body)).toMatchObject({ error: 'rate_limit_exceeded' })
    })
  }
})
