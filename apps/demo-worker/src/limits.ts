import { type Policy, presets, RateLimiter } from '@halt/core'
import { DurableObjectStore } from '@halt/store-durable-objects'
import { env, waitUntil } from 'cloudflare:workers'
import type { Context } from 'hono'

// Made once per isolate, while the module loads. All isolates share the counters.
const store = new DurableObjectStore({ namespace: env.HALT, waitUntil })

// The first call of an object may have to start it, far away.
const common = { store, storeTimeout: '1s' } as const

const perAddress: Policy = { name: 'address', limit: 20, window: '1m' }
const perUser: Policy = { name: 'user', limit: 5, window: '1m', keyStrategy: 'user' }

/** Every client: an address and, if it has one, its user. */
export const everybody = new RateLimiter<Context<DemoEnv>>({ ...common, policy: [perAddress, perUser] })

/** Guesses of passwords. */
export const passwords = new RateLimiter<Context>({ ...common, policy: presets.AUTH_ENDPOINTS })

/** Exports at the same time. */
export const exportsInFlight = new RateLimiter<Request>({
  ...common,
  policy: { name: 'exports', algorithm: 'concurrency', limit: 1, ttl: '5m' },
})

/** The variables of a Hono context. */
export interface DemoEnv {
  readonly Variables: { readonly user: { readonly id: string } | undefined }
}
