// The page is mounted in one line on every framework, and answers there as it does anywhere.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'

import { operator, type OperatorHandler } from '../src/index.ts'

const undone: (() => unknown)[] = []
afterEach(async () => {
  for (const undo of undone.splice(0)) await undo()
})

function makePage(): { page: OperatorHandler<unknown>; control: Control; contexts: unknown[] } {
  const store = new InMemoryStore()
  const control = new Control({ store })
  const limiter = new RateLimiter({ store, control, policy: { name: 'api', limit: 5, window: 60 } })
  const contexts: unknown[] = []
  const page = operator({
    limiters: [limiter],
    control,
    authorize: (_request, context) => (contexts.push(context), 'ann'),
  })
  undone.push(
    () => page.close(),
    () => control.close(),
  )
  return { page, control, contexts }
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  undone.push(() => void (server.closeAllConnections(), server.close()))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const serve = (listener: RequestListener): Promise<string> => listen(createServer(listener))
type Mount = (page: OperatorHandler<unknown>) => Promise<string>

const mounts: [string, Mount][] = [
  [
    'Express',
    page => {
      const app = express()
      app.use('/admin/halt', page.node)
      return serve(app)
    },
  ],
  [
    'Express behind a body parser',
    page => {
      const app = express()
      app.use(express.json())
      app.use('/admin/halt', page.node)
      return serve(app)
    },
  ],
  [
    'Fastify',
    async page => {
      const app = Fastify()
      await app.register(page.fastify, { prefix: '/admin/halt' })
      await app.ready()
      undone.push(() => app.close())
      return app.listen({ port: 0, host: '127.0.0.1' })
    },
  ],
  [
    'Hono',
    page => {
      const app = new Hono()
      app.all('/admin/halt/*', c => page(c.req.raw, c.env))
      return listen(createAdaptorServer({ fetch: app.fetch }) as ReturnType<typeof createServer>)
    },
  ],
  ['node:http', page => serve(page.node)],
]

describe.each(mounts)('on %s', (_name, mount) => {
  it('the page, its files and its calls answer, with the context of the framework', async () => {
    const { page, control, contexts } = makePage()
    const url = `${await mount(page)}/admin/halt`
    const html = await fetch(`${url}/`)
    expect([html.status, html.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(html.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await html.text()).toContain('<title>Halt operator</title>')
    expect((await fetch(`${url}/files/chart.js`)).status).toBe(200)
    const head = await fetch(`${url}/`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([
      200,
      'text/html; charset=utf-8',
      '',
    ])
    expect((await fetch(`${url}/files/none.js`)).status).toBe(404)
    const answer = await fetch(`${url}/api/act`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-halt-operator': '1' },
      body: JSON.stringify({ act: 'block', whom: { user: '42' }, reason: 'abuse', confirmed: true }),
    })
    expect([answer.status, await answer.json()]).toMatchObject([200, { done: true }])
    expect(await control.entries()).toMatchObject([{ target: 'user:42', by: 'ann' }])
    expect(contexts).toHaveLength(5)
    expect(contexts[0]).toBeTypeOf('object')
    const other = await fetch(`${url}/api/act`, { method: 'POST', body: '{}' })
    expect([other.status, ((await other.json()) as any).error.code]).toEqual([403, 'HALT_E_OPERATOR_ORIGIN'])
  })
})

it('a long body is refused on every way to the page', async () => {
  for (const [, mount] of mounts) {
    const { page } = makePage()
    const answer = await fetch(`${await mount(page)}/admin/halt/api/act`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-halt-operator': '1' },
      body: JSON.stringify({ reason: 'x'.repeat(80_000) }),
    })
    expect(answer.status).toBe(400)
    await answer.arrayBuffer()
  }
})

/** Calls `find` on an Express application whose parsers come before the page. */
async function findBehind(
  parsers: readonly ((req: any, res: any, next: () => void) => void)[],
  type: string,
  body = '{"whom":{"user":"a&b=c+d"}}',
): Promise<{ readonly status: number; readonly body: any }> {
  const { page } = makePage()
  const app = express()
  app.use(...(parsers as never[]), express.Router())
  app.use('/halt', page.node)
  const headers = { 'content-type': type, 'x-halt-operator': '1' }
  const answer = await fetch(`${await serve(app)}/halt/api/find`, { method: 'POST', headers, body })
  return { status: answer.status, body: await answer.json() }
}

describe('a body parser before the page', () => {
  const json = 'application/json'
  const nothing = (req: any, _res: any, next: () => void): void => ((req.body = {}), next())
  it.each([
    ['that reads JSON', [express.json()], json],
    ['that reads forms, and no JSON', [express.urlencoded({ extended: true })], json],
    ['that reads both', [express.json(), express.urlencoded({ extended: true })], json],
    ['that reads texts', [express.text({ type: '*/*' })], json],
    ['that reads bytes', [express.raw({ type: '*/*' })], json],
    ['that sets an empty body where it reads none, as that of Express 4', [nothing], json],
    ['that leaves forms alone', [express.json()], 'application/x-www-form-urlencoded'],
  ])('a body parser %s leaves the calls whole', async (_name, parsers, type) => {
    const { status, body } = await findBehind(parsers, type)
    expect([status, body]).toMatchObject([200, { who: /^user #/ }])
  })

  it('an error tells of a body parser that read the call as a form', async () => {
    const form = 'application/x-www-form-urlencoded'
    const { status, body } = await findBehind([express.urlencoded({ extended: true })], form)
    expect([status, body.error.code]).toEqual([400, 'HALT_E_OPERATOR'])
    expect(body.error.fix).toContain('content-type: application/json')
  })

  it('an error tells of a body parser that left nothing of the body', async () => {
    const swallow = (req: any, _res: any, next: () => void): void => void req.on('end', next).resume()
    const { status, body } = await findBehind([swallow], json)
    expect([status, body.error.message]).toEqual([
      400,
      'Something before the page read the body of the call, and left nothing of it.',
    ])
  })
})
