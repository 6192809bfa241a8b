// Requests that are held in a line while something changes under it, over real sockets.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { type Duration, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import express, { type Express } from 'express'
import { expect, it, onTestFinished } from 'vitest'

import { halt } from '../../src/index.ts'

const VISITOR = { ip: '127.0.0.1' }

/** An upstream behind a line that holds requests. It answers once `answers` has resolved. Notes when its handler ran. */
function upstream(status: () => number, answers: Promise<void> = Promise.resolve(), window: Duration = 1) {
  const policy = { name: 'upstream', limit: 10, window, burst: 1 } as const
  const limiter = new RateLimiter({ store: new InMemoryStore(), policy, exemptPrivateIps: false })
  const app = express()
  const handled: number[] = []
  app.use(
    halt({ limiter, delay: { maxWait: '24h' }, chargeWhen: ({ statusCode }) => statusCode !== 503 }),
    async (_, res) => {
      handled.push(performance.now())
      await answers
      res.status(status()).send('')
    },
  )
  /** Resolves when so many requests have come. On a busy machine the first have started by then. */
  const arrival = (count: number): Promise<void> =>
    expect.poll(() => handled.length + limiter.waiting, { timeout: 30_000 }).toBe(count)
  return { limiter, policy, app, handled, arrival }
}

async function listen(app: Express): Promise<string> {
  const server = app.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

it('held requests start one after the other though the upstream answers 503 and each unit comes back', async () => {
  let open = (): void => {}
  const gate = new Promise<void>(resolve => (open = resolve))
  const { limiter, app, handled, arrival } = upstream(() => 503, gate)
  const url = await listen(app)
  const ask = async (): Promise<number> => (await fetch(url)).status
  const began = performance.now()
  const answers = Array.from({ length: 12 }, ask)
  await arrival(12)
  const opened = performance.now()
  open()
  // Newcomers, as the units of those before them come back. The line still stands.
  for (let i = 0; i < 24; i++) answers.push(ask())
  expect(new Set(await Promise.all(answers))).toEqual(new Set([503]))
  expect(handled).toHaveLength(36)
  // Each call that has ended gives its unit back, so the line may then move twice as fast. A busy machine makes starts late, and
  // never early.
  for (const [i, at] of handled.entries()) {
    const most = 2 + (at - began + Math.max(0, at - opened)) / 100
    expect(i + 1, `after ${at - began} ms, opened after ${opened - began} ms`).toBeLessThanOrEqual(most)
  }
  expect(limiter.waiting).toBe(0)
  await expect.poll(async () => (await limiter.explain(VISITOR)).policies[0]?.line).toBeUndefined()
})

it('held requests whose clients go away leave the line, and those behind them move up', async () => {
  const { limiter, app, handled, arrival } = upstream(() => 200)
  const url = await listen(app)
  const leaving = new AbortController()
  const first = await fetch(url)
  const gone = Array.from({ length: 60 }, () => fetch(url, { signal: leaving.signal }).catch(() => undefined))
  await arrival(61)
  const last = fetch(url)
  await arrival(62)
  const before = handled.length
  leaving.abort()
  await Promise.all(gone)
  expect([first.status, (await last).status]).toEqual([200, 200])
  // Without them it would have waited for nearly 60 others.
  expect(handled.length - before).toBeLessThan(30)
  await expect.poll(() => limiter.waiting).toBe(0)
  await expect.poll(async () => (await limiter.explain(VISITOR)).policies[0]?.line).toBeUndefined()
})

it('close() refuses the requests that wait, and leaves the line empty', async () => {
  // No turn but the first comes during the test.
  const { limiter, policy, app, arrival } = upstream(() => 200, undefined, '1h')
  const url = await listen(app)
  const answers = Array.from({ length: 60 }, async () => (await fetch(url)).status)
  await arrival(60)
  const observer = new RateLimiter({ store: limiter.store, policy, exemptPrivateIps: false })
  await limiter.close()
  expect(limiter.waiting).toBe(0)
  expect((await observer.explain(VISITOR)).policies[0]?.line).toBeUndefined()
  expect((await Promise.all(answers)).toSorted((a, b) => a - b)).toEqual([200, ...Array(59).fill(429)])
})
