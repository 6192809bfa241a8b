// Compares the headers of drafts 6 to 8 of Halt and express-rate-limit byte by byte, with the same requests to two apps.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { halt } from '@halt/express'
import { InMemoryStore } from '@halt/store-memory'
import express, { type RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import { afterEach, expect, it, vi } from 'vitest'

type Draft = 'draft-6' | 'draft-7' | 'draft-8'

interface Answer {
  readonly status: number
  readonly told: Readonly<Record<string, string>>
}

interface Limit {
  readonly name: string
  readonly limit: number
  readonly window: number
}

const START = Date.UTC(2026, 10, 24)
afterEach(() => void vi.useRealTimers())

/** The status and the headers of a number of requests, 700 ms apart by the clock of both. */
async function answers(handlers: readonly RequestHandler[], count: number): Promise<Answer[]> {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  const app = express()
  for (const handler of handlers) app.use(handler)
  app.get('/', (_req, res) => void res.send('hello'))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const found: Answer[] = []
  for (let i = 0; i < count; i++) {
    vi.setSystemTime(START + 700 * i)
    const { status, headers } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const told = [...headers].filter(([name]) => name.startsWith('ratelimit') || name === 'retry-after')
    found.push({ status, told: Object.fromEntries(told) })
  }
  server.close()
  server.closeAllConnections()
  return found
}

function theirs(draft: Draft, limits: readonly Limit[]): RequestHandler[] {
  return limits.map(({ name, limit, window }) =>
    rateLimit({
      windowMs: window * 1000,
      limit,
      identifier: name,
      standardHeaders: draft,
      legacyHeaders: false,
      keyGenerator: () => 'ip:127.0.0.1',
    }),
  )
}

function ours(draft: Draft, limits: readonly Limit[]): RequestHandler[] {
  const policy = limits.map(limit => ({ ...limit, algorithm: 'fixed-window' as const }))
  const store = new InMemoryStore({ clock: () => Date.now() })
  return [halt({ policy, store, headers: draft, exemptPrivateIps: false })]
}

const hour = { name: 'hour', limit: 5, window: 3600 }
const day = { name: 'day', limit: 9, window: 86_400 }

it.each([
  ['draft-6', 'one policy, allowed and refused', [{ name: 'api', limit: 2, window: 3600 }], 4],
  ['draft-7', 'one policy, allowed and refused', [{ name: 'api', limit: 2, window: 3600 }], 4],
  ['draft-8', 'one policy, allowed and refused', [{ name: 'api', limit: 2, window: 3600 }], 4],
  ['draft-8', 'two policies, both in one list', [hour, day], 5],
] as const)(
  'Halt and express-rate-limit send the same bytes in %s: %s',
  async (draft, _what, limits, count) => {
    const found = await answers(ours(draft, limits), count)
    expect(Object.keys(found[0]?.told ?? {}).length).toBeGreaterThan(0)
    expect(found).toEqual(await answers(theirs(draft, limits), count))
  },
)
