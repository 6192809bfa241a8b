// Runs the examples of the pages that need a Redis server, and checks that they leave no connection.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { differencesIn, type PageRun, runPageExample } from '../../../tools/example.ts'
import { type RunningServer, startRedis } from '../../../tools/servers.ts'

vi.setConfig({ testTimeout: 30_000 })

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url))

let server: RunningServer
let operator: Redis
let folder: string
beforeAll(async () => {
  server = await startRedis()
  vi.stubEnv('REDIS_URL', server.url)
  operator = new Redis(server.url)
  folder = await mkdtemp(fileURLToPath(new URL('.pages-', import.meta.url)))
})
beforeEach(() => operator.flushall())
afterAll(async () => {
  vi.unstubAllEnvs()
  operator.disconnect()
  await server.stop()
  await rm(folder, { recursive: true })
})

/** Runs the first example after a line of a page, on this test's server. */
async function run(page: string, after: string): Promise<PageRun> {
  const text = await readFile(join(docs, page), 'utf8')
  expect(text).toContain(after)
  const [, given = ''] = /```(?:ts|js)\n([\s\S]*?)```/.exec(text.slice(text.indexOf(after))) ?? []
  const code = given
    .replaceAll(/redis:\/\/(?:localhost|127\.0\.0\.1):6379/g, server.url)
    .replaceAll('new Redis()', `new Redis('${server.url}')`)
  const name = `${page}-${after}`.replaceAll(/\W+/g, '-')
  const found = await runPageExample(folder, name, code)
  expect(differencesIn(code, found.printed)).toEqual([])
  return found
}

/** Runs something that must print no error, except that a busy machine may make Redis slow. */
async function withoutComplaint(work: () => Promise<PageRun>): Promise<PageRun> {
  const error = vi.spyOn(console, 'error').mockImplementation(() => {})
  try {
    const found = await work()
    expect(error.mock.calls.filter(([code]) => code !== 'HALT_W_STORE_SLOW')).toEqual([])
    return found
  } finally {
    error.mockRestore()
  }
}

/** The number of Redis clients, without the operator. */
async function connections(): Promise<number> {
  const list = String(await operator.client('LIST'))
  return list.trim().split('\n').length - 1
}

describe('docs/shutdown-and-deploys.md', () => {
  it.each([
    ['../packages/express/README.md', '## Several processes'],
    ['../packages/fastify/README.md', '## Several processes'],
    ['../packages/hono/README.md', '## Several processes'],
    ['shutdown-and-deploys.md', '### Nest'],
  ])('SIGTERM ends the server of the program of %s and every connection to Redis', async (page, heading) => {
    await expect.poll(connections).toBe(0)
    const before = process.listeners('SIGTERM')
    const exit = vi.spyOn(process, 'kill').mockImplementation(() => true)
    try {
      const { urls } = await run(page, heading)
      expect((await fetch(`${urls[0]}/`)).status).toBe(200)
      await expect.poll(connections).toBe(2)

      const told = process.listeners('SIGTERM').filter(listener => !before.includes(listener))
      expect(told).toHaveLength(1)
      told[0]?.('SIGTERM')
      await expect.poll(connections).toBe(0)
      await expect(fetch(`${urls[0]}/`)).rejects.toThrow('fetch failed')
      process.off('SIGTERM', told[0]!)
    } finally {
      exit.mockRestore()
    }
  })
})

describe.each([
  ['leases.md', ['# Busy keys: leases']],
  ['leaving.md', ['## Read it']],
  ['redis.md', ['# Redis', '## Other clients']],
  ['../packages/store-redis/README.md', ['# @halt/store-redis']],
])('docs/%s', (page, lines) => {
  it.each(lines)('the example after "%s" prints its lines, and leaves no connection', async line => {
    const before = await connections()
    await withoutComplaint(() => run(page, line))
    await expect.poll(connections).toBe(before)
  })
})

describe('docs/recipes/bullmq.md', () => {
  it('two workers send every job of a queue, and leave no connection', async () => {
    const before = await connections()
    await withoutComplaint(() => run('recipes/bullmq.md', '# BullMQ'))
    await expect.poll(connections).toBe(before)
  })
})

describe('docs/recipes/outgoing-calls.md', () => {
  it('a limiter on Redis waits for the turn of a call', async () => {
    const before = await connections()
    const page = await readFile(join(docs, 'recipes/outgoing-calls.md'), 'utf8')
    const code = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
    const call = "console.log(await stripe.run('stripe', () => 'called'))\nclient.disconnect()"
    const { printed } = await runPageExample(folder, 'outgoing', `${code}${call}`)
    expect(printed).toEqual(['called'])
    await expect.poll(connections).toBe(before)
  })
})

describe('docs/serverless.md', () => {
  it('an instance of the page uses one connection', async () => {
    const before = await connections()
    await run('serverless.md', '## A cold start')
    expect((await connections()) - before).toBe(1)
  })
})

describe('README.md', () => {
  it('the first example admits 5 of 8 requests at once, on localhost too', async () => {
    const { urls, close } = await run('../README.md', '## A first limit')
    const statuses: number[] = []
    for (let i = 0; i < 8; i++) statuses.push((await fetch(`${urls[0]}/`)).status)
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429])
    await close()
  })

  it('the production example limits in Express with Redis, and ends on SIGTERM', async () => {
    await expect.poll(connections).toBeLessThan(5)
    const idle = await connections()
    const before = process.listeners('SIGTERM')
    const { urls } = await withoutComplaint(() => run('../README.md', '## In production'))
    // The peer 127.0.0.1 is private, so exempt; a proxy is not exempt.
    const headers = { 'X-Forwarded-For': '203.0.113.7', 'X-User': '42' }
    const ask = (): Promise<Response> => fetch(`${urls[0]}/`, { headers })
    expect(await (await ask()).json()).toEqual({ left: 9 })
    const statuses: number[] = []
    for (let i = 0; i < 10; i++) statuses.push((await ask()).status)
    expect(statuses).toEqual([...Array<number>(9).fill(200), 429])
    const nobody = await fetch(`${urls[0]}/`, { headers: { 'X-Forwarded-For': '203.0.113.7' } })
    expect(nobody.headers.get('ratelimit-remaining')).toBe('9')
    const [told] = process.listeners('SIGTERM').filter(listener => !before.includes(listener))
    told?.('SIGTERM')
    await expect.poll(connections).toBe(idle)
    process.off('SIGTERM', told!)
  })
})
