import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'

import { type Policy, presets, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { listen, type Listening, operatorPages, Operator, userLimits } from '../src/index.ts'

/** A server with only a live page, and a limiter that it shows. */
export interface Site extends Listening {
  readonly token: string
  /** Checks requests of a user. */
  ask(user: string, times?: number): Promise<void>
  /** Makes the store fail or answer again. */
  away(isAway: boolean): void
}

interface Asked {
  readonly user: { readonly id: string }
  readonly socket: { readonly remoteAddress: string }
}

const SEARCH: Policy = {
  name: 'search',
  limit: 20,
  window: '30s',
  algorithm: 'sliding-window',
  keyStrategy: 'user',
}

/** Serves a live page. Its limiter counts addresses, searches, the free plan and a company's quota, with a penalty. */
export async function openSite(): Promise<Site> {
  const memory = new InMemoryStore({ clock: () => Date.now() })
  let isAway = false
  const store: InMemoryStore = Object.assign(Object.create(memory) as InMemoryStore, {
    evaluate(group: Parameters<InMemoryStore['evaluate']>[0]) {
      if (isAway) throw new Error('away')
      return memory.evaluate(group)
    },
    forget: memory.forget.bind(memory),
  })
  const token = randomUUID()
  const operator = new Operator(token, store)
  const companyOf = ({ user }: Asked): string | undefined => user.id.split('@')[1]
  const limiter = new RateLimiter<Asked>({
    store,
    policy: [presets.PUBLIC_API, SEARCH, ...userLimits(companyOf).free],
    penalty: { threshold: 10, duration: '20s', cooldown: 0, decayRate: 600 },
    telemetry: operator.telemetry,
    warn: () => {},
  })
  const show = operatorPages(operator)
  const server = createServer((req, res) => show(req, res, () => void res.writeHead(404).end()))
  const { url, close } = await listen(server, 0)
  return {
    url,
    close,
    token,
    async ask(user, times = 1) {
      const request = { user: { id: user }, socket: { remoteAddress: '203.0.113.7' } }
      for (let i = 0; i < times; i++) await limiter.check(request)
    },
    away(now) {
      isAway = now
    },
  }
}
