// Runs every example in docs/migrate, and the recipe for @nestjs/throttler. Those before and after the move must admit the same
// requests.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { differencesIn, examplesOf, type PageRun, runPageExample } from '../../../tools/example.ts'
import { type RestBridge, startRestBridge } from '../../../tools/rest-bridge.ts'
import { type RunningServer, startRedis } from '../../../tools/servers.ts'

const docs = fileURLToPath(new URL('../../../docs/migrate/', import.meta.url))

let folder: string
let server: RunningServer
let operator: Redis
let bridge: RestBridge
/** Runs the scripts of Upstash, whose first line only its own server knows. */
const withoutFlags = {
  callBuffer: (name: string, args: string[]): Promise<unknown> => {
    const [script = '', ...rest] = args
    const isScript = name.toLowerCase() === 'eval'
    return operator.callBuffer(name, isScript ? [script.replace(/^#!.*\n/, ''), ...rest] : args)
  },
}
beforeAll(async () => {
  folder = await mkdtemp(fileURLToPath(new URL('.guides-', import.meta.url)))
  server = await startRedis()
  vi.stubEnv('REDIS_URL', server.url)
  operator = new Redis(server.url)
  bridge = await startRestBridge(withoutFlags)
  vi.stubEnv('UPSTASH_REDIS_REST_URL', bridge.url)
  vi.stubEnv('UPSTASH_REDIS_REST_TOKEN', bridge.token)
})
beforeEach(() => operator.flushall())
afterAll(async () => {
  vi.unstubAllEnvs()
  await bridge.stop()
  operator.disconnect()
  await server.stop()
  await rm(folder, { recursive: true })
})

async function withExample(guide: string, i: number, test: (run: PageRun) => Promise<void>): Promise<void> {
  const code = examplesOf(await readFile(join(docs, `${guide}.md`), 'utf8'))[i] ?? ''
  // An example does not end its Redis client, which would look for the server for ever.
  const noted = code.replace(/^.*client\.connect\(\).*$/m, '$&\nglobalThis.redisClient = client')
  const run = await runPageExample(folder, `${basename(guide)}-${i}`, noted)
  try {
    expect(differencesIn(code, run.printed)).toEqual([])
    await test(run)
  } finally {
    await run.close()
    const { redisClient } = globalThis as { redisClient?: { destroy(): void } }
    redisClient?.destroy()
    Object.assign(globalThis, { redisClient: undefined })
  }
}

async function statuses(url: string | undefined, count: number, user?: string): Promise<number[]> {
  const found: number[] = []
  const headers: Record<string, string> = user === undefined ? {} : { 'x-user': user }
  for (let i = 0; i < count; i++) found.push((await fetch(url ?? '', { headers })).status)
  return found
}

async function noServer({ urls }: PageRun): Promise<void> {
  if (urls.length > 0) throw new Error('The example has a server, which nobody asks.')
}

const visits = {
  async 'express-rate-limit'({ urls: [url] }: PageRun) {
    const ask = (path: string, from: string, headers: Record<string, string> = {}, body?: object) =>
      fetch(`${url}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'X-Forwarded-For': from, 'Content-Type': 'application/json', ...headers },
        body: body === undefined ? null : JSON.stringify(body),
      })
    const statusesOf = async (count: number, once: () => Promise<Response>): Promise<number[]> => {
      const found: number[] = []
      for (let i = 0; i < count; i++) found.push((await once()).status)
      return found
    }

    // 100 requests of an address
    expect(new Set(await statusesOf(100, () => ask('/none', '203.0.113.1')))).toEqual(new Set([404]))
    const refused = await ask('/none', '203.0.113.1')
    expect([refused.status, refused.headers.get('ratelimit-policy')]).toEqual([429, '100;w=60'])
    expect((await ask('/none', '203.0.113.2')).status).toBe(404)
    expect((await ask('/health', '203.0.113.1')).status).toBe(200)

    // 5 failed logins of an address and a user
    const login = (user: string, password: string): Promise<Response> =>
      ask('/login', '203.0.113.3', {}, { user, password })
    expect(await statusesOf(6, () => login('ann', 'good'))).toEqual(Array(6).fill(200))
    expect(await statusesOf(5, () => login('ann', 'bad'))).toEqual(Array(5).fill(401))
    const locked = await login('ann', 'good')
    expect([locked.status, await locked.json()]).toEqual([429, { error: 'too many tries' }])
    expect((await login('ben', 'good')).status).toBe(200)

    // 20 requests of a free key, 1000 of a gold one
    const data = (key: string, plan: string): Promise<Response> =>
      ask('/data', '203.0.113.4', { 'X-Api-Key': key, 'X-Plan': plan })
    expect(await (await data('key-1', 'free')).json()).toEqual({ left: 19 })
    expect(await statusesOf(19, () => data('key-1', 'free'))).toEqual(Array(19).fill(200))
    const slow = await data('key-1', 'free')
    expect([slow.status, await slow.json()]).toEqual([429, { error: 'slow down', limit: 20 }])
    expect(await (await data('key-2', 'gold')).json()).toEqual({ left: 999 })
    expect((await ask('/none', '203.0.113.4')).status).toBe(404)
  },
  async 'express-slow-down'({ urls: [url] }: PageRun) {
    const began = performance.now()
    const found = await Promise.all(Array.from({ length: 5 }, () => statuses(`${url}/`, 1, 'ann')))
    expect(found.flat()).toEqual([200, 200, 200, 200, 200])
    // The fifth request waits for two steps of 100 ms.
    expect(performance.now() - began).toBeGreaterThan(195)
    expect(await statuses(`${url}/`, 1, 'ben')).toEqual([200])
  },
  async 'fastify-rate-limit'({ urls: [url] }: PageRun) {
    expect(await statuses(`${url}/`, 4)).toEqual([200, 200, 200, 429])
    expect(await statuses(`${url}/otp`, 2)).toEqual([200, 429])
    expect(await statuses(`${url}/open`, 5)).toEqual([200, 200, 200, 200, 200])
  },
  async 'hono-rate-limiter'({ urls: [url] }: PageRun) {
    expect(await statuses(`${url}/`, 4)).toEqual([200, 200, 200, 429])
  },
  async 'nestjs-throttler'({ urls: [url] }: PageRun) {
    expect(await statuses(`${url}/`, 4)).toEqual([200, 200, 200, 429])
    expect(await statuses(`${url}/otp`, 2)).toEqual([200, 429])
    expect(await statuses(`${url}/open`, 5)).toEqual([200, 200, 200, 200, 200])
  },
  ...Object.fromEntries(
    ['rate-limiter-flexible', 'bottleneck', 'p-queue-and-p-throttle', 'limiter', 'upstash-ratelimit'].map(
      guide => [guide, noServer],
    ),
  ),
}

describe.each(Object.entries(visits))('docs/migrate/%s.md', (guide, visit) => {
  it('the example before the move prints its lines, and its server answers as the guide says', () =>
    withExample(guide, 0, visit))
  it('the example after the move prints its lines, and its server answers as the one before', () =>
    withExample(guide, 1, visit))
})

it('the example of a penalty by key in the rate-limiter-flexible guide prints its lines', () =>
  withExample('rate-limiter-flexible', 2, async () => {}))

it('Halt counts as the storage of @nestjs/throttler, and the guard answers with its numbers', () =>
  withExample('../recipes/nest-throttler-storage', 0, async ({ urls: [url] }) => {
    const cats = await Promise.all(Array.from({ length: 5 }, () => fetch(`${url}/`)))
    expect(cats.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 200, 200, 429, 429])
    const admitted = cats.filter(({ ok }) => ok).map(({ headers }) => headers)
    const left = admitted.map(headers => Number(headers.get('x-ratelimit-remaining')))
    expect(left.sort((a, b) => a - b)).toEqual([0, 1, 2])
    for (const headers of admitted) {
      expect(Number(headers.get('x-ratelimit-reset'))).toBeGreaterThan(0)
      // A sub-window of a tenth leaves as a whole, and the reset is a whole second.
      expect(Number(headers.get('x-ratelimit-reset'))).toBeLessThanOrEqual(67)
    }

    expect(await statuses(`${url}/otp`, 2)).toEqual([200, 429])
    const wait = Number((await fetch(`${url}/otp`)).headers.get('retry-after'))
    expect(wait).toBeGreaterThan(67)
    expect(wait).toBeLessThanOrEqual(300)
  }))
