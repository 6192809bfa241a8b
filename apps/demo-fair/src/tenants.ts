import type { RatePolicy } from '@halt/core'

/** A tenant of the backend. */
export interface Tenant {
  readonly name: string
  /** The requests that it sends in a second, over all processes. */
  readonly rate: number
  readonly weight: number
}

/** A request of a tenant. */
export interface Ask {
  readonly tenant: Tenant
}

/** The limit of the backend, which all tenants share. */
export const BACKEND = {
  name: 'backend',
  limit: 100,
  window: '1s',
  // Half of it stays free, so that a busy machine may halt for a second and every tenant still finds its share.
  burst: 200,
  keyStrategy: 'shared',
  fair: { by: ({ tenant }) => tenant.name, weight: ({ tenant }) => tenant.weight },
} as const satisfies RatePolicy<Ask>

/** The tenant that sends most. */
export const LOUD = 'loud'

/** Three send more than their share. The others send less. */
export const TENANTS: readonly Tenant[] = [
  { name: LOUD, rate: 400, weight: 1 },
  { name: 'bakery', rate: 100, weight: 1 },
  { name: 'clinic', rate: 100, weight: 2 },
  { name: 'museum', rate: 5, weight: 1 },
  { name: 'school', rate: 5, weight: 1 },
  { name: 'studio', rate: 5, weight: 2 },
]

/** The names of those that send less than their share. */
export const QUIET: readonly string[] = TENANTS.filter(({ rate }) => rate < 20).map(({ name }) => name)

/** How long a call of the store may take. Longer than usual, because all processes begin at once. */
export const STORE_TIMEOUT = '2s'
