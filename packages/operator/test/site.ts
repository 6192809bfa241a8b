import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Control } from '@halt/control'
import { type Policy, type Quota, RateLimiter } from '@halt/core'
import { fakeOutage, type FakeOutage } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'

import { aMinuteAgo } from '../../../tools/a-minute-ago.ts'
import { operator, type OperatorOptions } from '../src/index.ts'

/** A customer's own request, as the application sees it. */
interface Asked {
  readonly user: { readonly id: string }
  readonly socket: { readonly remoteAddress: string }
}

export const PER_USER: Policy = { name: 'per_user', limit: 5, window: '1h', keyStrategy: 'user' }
const PER_ADDRESS: Policy = { name: 'per_address', limit: 1000, window: '1m' }
const MONTH: Quota = { name: 'month', limit: 8, period: 'monthly', anchor: aMinuteAgo() }

/** A server with only the page, and a limiter that it shows. */
export interface Site {
  /** The address of the page. */
  readonly page: string
  readonly limiter: RateLimiter<Asked>
  readonly control: Control
  readonly store: FakeOutage
  /** Checks requests of a user. */
  ask(user: string, times?: number): Promise<void>
  /** Calls the API of the page as the page does. */
  call(
    name: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ readonly status: number; readonly body: Record<string, any> }>
  close(): Promise<void>
}

/** Serves a page at `/halt`. Everybody is the operator "ann", unless the options say otherwise. */
export async function openSite(
  options: Partial<OperatorOptions<IncomingMessage>> = {},
  policies: readonly (Policy | Quota)[] = [],
): Promise<Site> {
  const store = fakeOutage(new InMemoryStore({ clock: () => Date.now() }))
  const control = new Control({ store, warn: () => {} })
  const limiter = new RateLimiter<Asked>({
    store,
    control,
    policy: [PER_ADDRESS, PER_USER, MONTH, ...policies],
    penalty: { threshold: 20, duration: '20s', cooldown: 0, decayRate: 600 },
    warn: () => {},
  })
  const page = operator<IncomingMessage>({ limiters: [limiter], control, authorize: () => 'ann', ...options })
  const server = createServer((req, res) => page.node(req, res))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/halt/`
  return {
    page: url,
    limiter,
    control,
    store,
    async ask(user, times = 1) {
      for (let i = 0; i < times; i++)
        await limiter.check({ user: { id: user }, socket: { remoteAddress: '203.0.113.7' } })
    },
    async call(name, body = {}, headers = {}) {
      const response = await fetch(`${url}api/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-halt-operator': '1', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      return { status: response.status, body: (await response.json()) as Record<string, any> }
    },
    async close() {
      page.close()
      control.close()
      server.closeAllConnections()
      server.close()
      await limiter.close()
    },
  }
}
