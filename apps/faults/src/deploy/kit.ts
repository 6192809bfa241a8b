import { setTimeout as sleep } from 'node:timers/promises'

import { type HaltWarning, RateLimiter } from '@halt/core'
import type { DrainReport } from '@halt/core/http'
import type { Store } from '@halt/core/store'

import { MAX_WAIT, POLICIES, type RouteName, ROUTES } from './policies.ts'

/** The limiters of a process, one for each route, on one store. */
type Limiters = Readonly<Record<RouteName, RateLimiter>>

/** The answer to a request. */
interface Answer {
  readonly status: number
  readonly body: string
}

/** What a framework needs to serve the routes. */
export interface Kit {
  readonly limiters: Limiters
  readonly store: Store
  /** Answers an admitted request. @param url the target of the request */
  readonly answer: (route: RouteName, url: string) => Promise<Answer>
}

/** Serves the routes on a port of 127.0.0.1. Resolves to the function that ends the process's server and limiters. */
export type Serve = (kit: Kit, port: number) => Promise<() => Promise<DrainReport>>

/** Makes the limiters of a process. */
export function makeKit(store: Store, warn: (warning: HaltWarning) => void): Kit {
  // A long deadline, because a busy machine is not a failure of the store.
  const common = { store, warn, exemptPrivateIps: false, storeTimeout: '20s' } as const
  const limiters = Object.fromEntries(
    ROUTES.map(route => [route, new RateLimiter({ ...common, policy: POLICIES[route] })]),
  ) as Limiters
  return {
    limiters,
    store,
    async answer(route, url) {
      const { searchParams } = new URL(url, 'http://localhost')
      if (route === 'acquires') {
        const { allowed } = await limiters.acquires.acquire('all', { maxWait: MAX_WAIT })
        return { status: allowed ? 200 : 429, body: '' }
      }
      await sleep(Number(searchParams.get('ms')))
      return { status: Number(searchParams.get('status')), body: route }
    },
  }
}

/** Whether a request of a route counts, by the status of its answer. */
export function countsByStatus(route: RouteName): ((status: number) => boolean) | undefined {
  return route === 'logins' || route === 'refunds' ? status => status >= 400 : undefined
}
