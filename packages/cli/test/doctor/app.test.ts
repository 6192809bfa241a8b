import express5 from 'express'
import express4 from 'express4'
import express51 from 'express51'
import fastify from 'fastify'
import { halt as expressHalt } from '@halt/express'
import { halt as fastifyHalt } from '@halt/fastify'
import { halt as honoHalt } from '@halt/hono'
import { Hono } from 'hono'
import { describe, expect, it, onTestFinished } from 'vitest'

import { expressRoutes } from '../../src/doctor/app/express.ts'
import { fastifyRoutes } from '../../src/doctor/app/fastify.ts'
import { honoRoutes } from '../../src/doctor/app/hono.ts'
import type { AppRoutes } from '../../src/doctor/app/route.ts'
import { folderWith, halt } from '../halt.ts'

const options = { policy: { name: 'api', limit: 5, window: 60 }, exemptPrivateIps: false }
const answer = (_req: unknown, res: { end(): unknown }): void => void res.end()

/** The routes as `METHOD path`, by whether they have a limit. */
function sorted(found: AppRoutes | undefined): Record<string, string[]> {
  const lists: Record<string, string[]> = {}
  for (const { method, path, isLimited } of found?.routes ?? [])
    (lists[isLimited === undefined ? 'unknown' : isLimited ? 'limited' : 'open'] ??= []).push(
      `${method} ${path}`,
    )
  return lists
}

describe.each([
  ['Express 5', express5],
  ['Express 5.1', express51 as typeof express5],
  ['Express 4', express4 as typeof express5],
])('the routes of %s', (name, express) => {
  const guarded = expressHalt(options)

  it('routes before a guard are open, and those behind it are limited', () => {
    const app = express()
    app.get('/before', answer)
    app.post('/own', guarded, answer)
    app.use(guarded)
    app.route('/after').get(answer).delete(answer)
    expect(sorted(expressRoutes(app))).toEqual({
      open: ['GET /before'],
      limited: ['POST /own', 'GET /after', 'DELETE /after'],
    })
  })

  it('routes below a path with a guard are limited, and others are open', () => {
    const app = express()
    app.use('/api', guarded)
    app.get('/api/users/:id', answer)
    app.get('/other', answer)
    expect(sorted(expressRoutes(app))).toEqual({ limited: ['GET /api/users/:id'], open: ['GET /other'] })
  })

  it('routes of a router are found, and a path that the framework hides is told as hidden', () => {
    const app = express()
    const router = express.Router()
    router.get('/open', answer)
    router.use(guarded)
    router.get('/guarded', answer)
    app.use('/v1', router)
    const found = expressRoutes(app)
    const prefix = name === 'Express 5.1' ? '…' : '/v1'
    expect(sorted(found)).toEqual({ open: [`GET ${prefix}/open`], limited: [`GET ${prefix}/guarded`] })
    expect(found?.notes.length).toBe(name === 'Express 5.1' ? 1 : 0)
  })

  it('routes are unknown where a guard stands on a path and the router may be below it', () => {
    const app = express()
    const router = express.Router()
    router.get('/users', answer)
    app.use('/api', guarded)
    app.use('/api/v1', router)
    app.use('/web', router)
    expect(sorted(expressRoutes(app))).toEqual(
      name === 'Express 5.1'
        ? { unknown: ['GET …/users', 'GET …/users'] }
        : { limited: ['GET /api/v1/users'], open: ['GET /web/users'] },
    )
  })
})

it('the routes of Fastify tell their hooks, also in a child', async () => {
  const app = fastify()
  onTestFinished(() => app.close())
  app.get('/before', async () => 1)
  await app.register(async child => {
    await child.register(fastifyHalt, { ...options, global: true })
    child.get('/limited/:id', async () => 1)
    child.post('/limited', async () => 1)
    child.get('/off', { config: { halt: false } }, async () => 1)
  })
  const lists = sorted(await fastifyRoutes(app))
  expect(lists['open']).toContain('GET /before')
  expect(lists['limited']).toEqual(['POST /limited', 'GET /limited/:id', 'GET /off'])
})

it('the routes of Hono behind a guard on their path are limited', () => {
  const app = new Hono()
  app.get('/before', c => c.text(''))
  app.use('/api/*', honoHalt(options))
  app.get('/api/users/:id', c => c.text(''))
  app.get('/other', c => c.text(''))
  app.post('/own', honoHalt(options), c => c.text(''))
  app.put('/own', c => c.text(''))
  expect(sorted(honoRoutes(app))).toEqual({
    open: ['GET /before', 'GET /other', 'PUT /own'],
    limited: ['GET /api/users/:id', 'POST /own'],
  })
})

describe('halt doctor --app', () => {
  it('halt doctor --app lists the routes without a limit of the application that a module makes', async () => {
    const app = express5()
    app.get('/health', answer)
    app.post('/login', answer)
    app.use(expressHalt(options))
    app.get('/users', answer)
    Object.assign(globalThis, { haltTestApp: app })
    onTestFinished(() => void Reflect.deleteProperty(globalThis, 'haltTestApp'))
    const cwd = folderWith({ 'app.mjs': 'export const createApp = async () => globalThis.haltTestApp' })
    const { code, out } = await halt(['doctor', '--app', 'app.mjs'], { cwd })
    expect(out).toContain('ok      Express: 1 of 2 routes have a limit.')
    expect(out).toContain('problem Express: POST /login has no limit.')
    expect(code).toBe(1)
  })

  it('halt doctor --app says of Nest that guards cannot be seen', async () => {
    const cwd = folderWith({ 'app.mjs': 'export default { getHttpAdapter() {} }' })
    const { code, out } = await halt(['doctor', '--app', 'app.mjs', '--json'], { cwd })
    expect([code, out]).toEqual([0, expect.stringContaining('HALT_W_NO_GUARD')])
  })

  it('halt doctor --app fails with a code for a module without an application, or one that throws', async () => {
    const cwd = folderWith({
      'none.mjs': 'export const x = 1',
      'throws.mjs': 'export const createApp = () => { throw new Error("no database") }',
      'broken.mjs': 'oops',
    })
    for (const [file, why] of [
      ['none.mjs', 'exports no application'],
      ['throws.mjs', 'no database'],
      ['broken.mjs', 'oops is not defined'],
      ['missing.mjs', 'cannot be loaded'],
    ] as const) {
      const { code, err } = await halt(['doctor', '--app', file], { cwd })
      expect([code, err]).toEqual([3, expect.stringContaining('HALT_E_APP_MODULE')])
      expect(err).toContain(why)
    }
  })
})
