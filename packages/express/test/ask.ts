import { RateLimiter, type RateLimiterOptions } from '@halt/core'
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import type { Express, Request } from 'express'

import { listen } from './adapter.ts'

/** Makes a limiter of one policy on a store of its own, whose clock stands still, which counts localhost too. */
export function makeLimiter(
  name: string,
  limit: number,
  more: Partial<RateLimiterOptions<Request>> = {},
): RateLimiter<Request> {
  const policy = { name, limit, window: 60, algorithm: 'fixed-window' } as const
  return new RateLimiter<Request>({
    store: new InMemoryStore({ clock: new ManualClock().now }),
    policy,
    exemptPrivateIps: false,
    ...more,
  })
}

/** Asks an app for `/ask` several times; gives the last answer. */
export async function ask(
  app: Express,
  times = 1,
): Promise<{ status: number; headers: Headers; body: string }> {
  const { url, close } = await listen(app)
  try {
    for (let i = 1; i < times; i++) await (await fetch(`${url}/ask`)).text()
    const response = await fetch(`${url}/ask`)
    return { status: response.status, headers: response.headers, body: await response.text() }
  } finally {
    await close()
  }
}
