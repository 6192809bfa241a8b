// Requests that are held in a line while something changes under it, over real sockets.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import express, { type Express } from 'express'
import { expect, it, onTestFinished } from 'vitest'

import { halt } from '../../src/index.ts'

const policy = { name: 'upstream', limit: 10, window: 1, burst: 1 } as const
const VISITOR = { ip: '127.0.0.1' }

/** An upstream behind a line that holds requests. Notes when its handler ran, in milliseconds since the first request was sent. */
function upstream(status: () => number) {
  const limiter = new RateLimiter({ store: new InMemoryStore(), policy, exemptPrivateIps: false })
  const app = express()
  const began = performance.now()
  const handled: number[] = []
  app.use(
    halt({ limiter, delay: { maxWait: '30s' }, chargeWhen: ({ statusCode }) => statusCode !== 503 }),
    (_, res) => {
      handled.push(performance.now() - began)
      res.status(status()).send('')
    },
  )
  return { limiter, app, handled }
}

async function listen(app: Express): Promise<string> {
  const server = app.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** The most that may have started some milliseconds after the first request was sent: twice the rate, because each call gives its unit back. */
const most = (ms: number): number => 1 + 2 * (ms / 100) + 2

it('requests that wait start one after the other though the upstream answers 503 and each unit comes back', async () => {
  const { limiter, app, handled } = upstream(() => 503)
  const url = await listen(app)
  const answers = Array.from({ length: 21 }, async () => (await fetch(url)).status)
  // Newcomers, while others wait and units come back.
  const asked = performance.now()
  while (answers.length < 30 && performance.now() - asked < 400) {
    await new Promise(resolve => void setTimeout(resolve, 20))
    answers.push(fetch(url).then(({ status }) => status))
  }
  expect(new Set(await Promise.all(answers))).toEqual(new Set([503]))
  expect(handled).toHaveLength(answers.length)
  // A busy machine makes starts late, and never early.
  for (const [i, at] of handled.entries())
    expect(i + 1, `the start after ${at} ms`).toBeLessThanOrEqual(most(at))
  expect(limiter.waiting).toBe(0)
  await expect.poll(async () => (await limiter.explain(VISITOR)).policies[0]?.line).toBeUndefined()
})

it('requests whose clients go away leave the line, and those behind them move up', async () => {
  const { limiter, app, handled } = upstream(() => 200)
  const url = await listen(app)
  const leaving = new AbortController()
  const first = await fetch(url)
  const gone = Array.from({ length: 60 }, () => fetch(url, { signal: leaving.signal }).catch(() => undefined))
  await expect.poll(() => limiter.waiting).toBeGreaterThan(40)
  const last = fetch(url)
  await expect.poll(() => limiter.waiting).toBeGreaterThan(41)
  const before = handled.length
  leaving.abort()
  await Promise.all(gone)
  expect([first.status, (await last).status]).toEqual([200, 200])
  // Without them it would have waited for nearly 60 others.
  expect(handled.length - before).toBeLessThan(30)
  await expect.poll(() => limiter.waiting).toBe(0)
  await expect.poll(async () => (await limiter.explain(VISITOR)).policies[0]?.line).toBeUndefined()
})

it('close() answers the requests that wait, and leaves the line empty', async () => {
  const { limiter, app } = upstream(() => 200)
  const url = await listen(app)
  const answers = Array.from({ length: 60 }, async () => (await fetch(url)).status)
  await expect.poll(() => limiter.waiting).toBeGreaterThan(40)
  const observer = new RateLimiter({ store: limiter.store, policy, exemptPrivateIps: false })
  await limiter.close()
  expect(limiter.waiting).toBe(0)
  expect((await observer.explain(VISITOR)).policies[0]?.line).toBeUndefined()
  const statuses = await Promise.all(answers)
  expect(statuses).toHaveLength(60)
  expect(statuses.every(status => status === 200 || status >= 429)).toBe(true)
})
