import type { Policy } from '@halt/core'

/** So many that no counter is ever full, and none comes back during a run. */
export const LIMIT = 1_000_000

const counted = { limit: LIMIT, window: '30d', algorithm: 'fixed-window', keyStrategy: 'shared' } as const
const line = { limit: 12, window: '1s', burst: 1, keyStrategy: 'shared' } as const

/** What the processes of a rolling deploy count, by the name of the route. */
export const POLICIES = {
  /** Each request costs a unit. */
  units: { name: 'units', ...counted },
  /** Each request takes a place while it is answered. */
  places: { name: 'places', algorithm: 'concurrency', limit: LIMIT, ttl: '1h', keyStrategy: 'shared' },
  /** Only failures count, when they are known. */
  logins: { name: 'logins', ...counted, inFlight: 1_000 },
  /** Each request costs a unit. Successes get it back. */
  refunds: { name: 'refunds', ...counted },
  /** The guard holds requests until it is their turn. */
  waits: { name: 'waits', ...line },
  /** The handler waits for its turn. */
  acquires: { name: 'acquires', ...line },
} as const satisfies Readonly<Record<string, Policy>>

/** The name of a route and of its policy. */
export type RouteName = keyof typeof POLICIES

export const ROUTES = Object.keys(POLICIES) as readonly RouteName[]

/** How long a caller waits for its turn at most. */
export const MAX_WAIT = '2s'
