// Tests the differences that docs/migrate/express-slow-down.md names, on both sides.
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'

import { RateLimiter } from '@halt/core'
import { halt } from '@halt/express'
import { InMemoryStore } from '@halt/store-memory'
import express, { type RequestHandler } from 'express'
import { slowDown } from 'express-slow-down'
import { describe, expect, it, onTestFinished, vi } from 'vitest'

/** A server, and what its handler saw. */
interface Scene {
  readonly port: number
  /** The paths of the requests that came, in order. */
  readonly paths: readonly string[]
  /** The paths of the requests that started, in order. */
  readonly started: string[]
  /** When each of them started, in milliseconds. */
  readonly at: number[]
  /** The number of requests that came. */
  readonly came: () => number
  get(path: string): Promise<Response>
}

async function serve(middleware: RequestHandler): Promise<Scene> {
  const started: string[] = []
  const at: number[] = []
  const paths: string[] = []
  const app = express()
  app.use((req, _res, next) => {
    paths.push(req.path)
    next()
  })
  app.use(middleware)
  app.use((req, res) => {
    started.push(req.path)
    at.push(performance.now())
    res.send('hello')
  })
  const server = app.listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`)
  return { port, paths, started, at, came: () => paths.length, get }
}

/** A request whose client leaves as soon as the server has it. */
async function leave({ port, came }: Scene): Promise<void> {
  const before = came()
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.write('GET /left HTTP/1.1\r\nHost: x\r\n\r\n')
  await expect.poll(came).toBe(before + 1)
  socket.destroy()
}

const theirs = (delayMs: number | ((used: number) => number), windowMs = 60_000): RequestHandler =>
  slowDown({ windowMs, delayAfter: 1, delayMs: typeof delayMs === 'number' ? () => delayMs : delayMs })
const ours = (interval: number, maxWait = '30s'): RequestHandler =>
  halt({
    policy: { name: 'api', limit: 1, window: `${interval}ms`, burst: 1 },
    exemptPrivateIps: false,
    delay: { maxWait },
  }) as RequestHandler

const six = ['/1', '/2', '/3', '/4', '/5', '/6']

/** A delay that no other timer has, in milliseconds. */
const DELAY = 7_654_321

/** Keeps the timers of this delay, which express-slow-down sets for its requests, until the test rings them. */
function theirTimers(): (() => void)[] {
  const kept: (() => void)[] = []
  const { setTimeout } = globalThis
  const spy = vi
    .spyOn(globalThis, 'setTimeout')
    .mockImplementation(((callback: () => void, ms?: number, ...given: []) =>
      ms === DELAY ? void kept.push(callback) : setTimeout(callback, ms, ...given)) as typeof setTimeout)
  onTestFinished(() => spy.mockRestore())
  return kept
}

describe('six requests at once', () => {
  it('express-slow-down starts five of six requests after the same delay', async () => {
    const timers = theirTimers()
    const scene = await serve(theirs(DELAY))
    const answers = Promise.all(six.map(scene.get))
    await expect.poll(() => timers).toHaveLength(5)
    expect(scene.started).toHaveLength(1)
    for (const ring of timers) ring()
    await answers
  })

  it('Halt starts six requests in the order in which they came, one per interval', async () => {
    const scene = await serve(ours(50))
    const began = performance.now()
    await Promise.all(six.map(scene.get))
    expect(scene.started).toEqual(scene.paths)
    // A timer may be a millisecond early.
    for (const [i, at] of scene.at.entries()) expect(at - began).toBeGreaterThan(50 * i - 1)
  })
})

describe('a request that would wait too long', () => {
  it('express-slow-down serves a request that would wait too long after the longest delay', async () => {
    const timers = theirTimers()
    const scene = await serve(slowDown({ delayAfter: 1, delayMs: used => used * 1e7, maxDelayMs: DELAY }))
    const answers = Promise.all(six.map(scene.get))
    await expect.poll(() => timers).toHaveLength(5)
    expect(scene.started).toHaveLength(1)
    for (const ring of timers) ring()
    expect((await answers).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200])
  })

  it('Halt refuses a request that would wait too long, and does not charge it', async () => {
    const scene = await serve(ours(60_000, '1s'))
    const answers: Response[] = []
    for (const path of six) answers.push(await scene.get(path))
    expect(answers.map(({ status }) => status)).toEqual([200, 429, 429, 429, 429, 429])
    expect(Number(answers[5]?.headers.get('retry-after'))).toBeLessThanOrEqual(60)
  })
})

describe('clients that leave', () => {
  it('express-slow-down counts clients that leave', async () => {
    const used: number[] = []
    const middleware = slowDown({
      delayAfter: 1,
      delayMs: count => {
        used.push(count)
        return count === 5 ? 0 : 60_000
      },
    })
    const scene = await serve(middleware)
    await scene.get('/first')
    for (let i = 0; i < 3; i++) await leave(scene)
    await scene.get('/last')
    expect(used).toEqual([2, 3, 4, 5])
  })

  it('Halt gives the places of clients that leave to others', async () => {
    const policy = { name: 'api', limit: 1, window: '1h', burst: 1 } as const
    const limiter = new RateLimiter({ store: new InMemoryStore(), policy, exemptPrivateIps: false })
    const scene = await serve(halt({ limiter, delay: { maxWait: '4h' } }) as RequestHandler)
    await scene.get('/first')
    for (let i = 0; i < 3; i++) await leave(scene)
    await expect.poll(() => limiter.waiting).toBe(0)
    // Behind three places it would wait for four hours, and the next one would be refused.
    const last = [scene.get('/last'), scene.get('/last but for one')]
    await expect.poll(() => limiter.waiting).toBe(2)
    await limiter.close()
    expect((await Promise.all(last)).map(({ status }) => status)).toEqual([429, 429])
  })
})

it('express-slow-down starts a request of the next window before one that it still holds', async () => {
  const scene = await serve(theirs(20_000, 300))
  await scene.get('/first')
  const held = new AbortController()
  const second = fetch(`http://127.0.0.1:${scene.port}/held`, { signal: held.signal }).catch(() => {})
  await expect.poll(scene.came).toBe(2)
  await vi.waitFor(
    async () => {
      const signal = AbortSignal.timeout(200)
      await fetch(`http://127.0.0.1:${scene.port}/next`, { signal })
    },
    { timeout: 30_000, interval: 350 },
  )
  expect(scene.started).toEqual(['/first', '/next'])
  held.abort()
  await second
})
