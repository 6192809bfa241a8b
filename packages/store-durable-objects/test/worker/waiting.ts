// A Worker whose requests wait in line. All requests of an isolate share the limiters.
import { waitUntil } from 'cloudflare:workers'

import { RateLimiter } from '@halt/core'
import { ReferenceStore } from '@halt/core/testing'

import { DurableObjectStore, HaltCounters, type ObjectNamespace } from '../../src/index.ts'

export { HaltCounters }

const policies = {
  // A busy machine takes some of the time between two turns to send a request.
  paced: { name: 'paced', limit: 1, window: '2s', burst: 1 },
  together: { name: 'together', limit: 3, window: '1m' },
  window: { name: 'window', algorithm: 'sliding-window', limit: 2, window: '1s' },
  flight: { name: 'flight', algorithm: 'concurrency', limit: 1, ttl: '2s' },
} as const
let limiters: Readonly<Record<string, RateLimiter>> | undefined
let asked = 0

/** Begun by the first request, because a Worker has no bindings before. */
function begun(namespace: ObjectNamespace): Readonly<Record<string, RateLimiter>> {
  return (limiters ??= {
    memory: new RateLimiter({ store: new ReferenceStore(Date.now), policy: policies.paced }),
    object: new RateLimiter({
      store: new DurableObjectStore({ namespace, waitUntil }),
      policy: policies.paced,
      storeTimeout: '5s',
    }),
  })
}

export default {
  async fetch(request: Request, env: { readonly HALT: ObjectNamespace }): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const limiter = begun(env.HALT)[searchParams.get('store') ?? '']!
    const policy = policies[searchParams.get('policy') as keyof typeof policies]
    if (pathname === '/reset') return Response.json(await limiter.reset('key', { policy }))
    if (pathname === '/waiting') return Response.json(limiter.waiting)
    const turn = ++asked
    const waiting = limiter.run(
      'key',
      async ({ allowed, waitedMs }) => {
        // A timer works only in the request that has begun it.
        await new Promise(resolve => void setTimeout(resolve, 100))
        return { allowed, waitedMs, turn }
      },
      { policy, maxWait: '1m' },
    )
    // As if the client had left: the platform ends what the request has begun.
    if (pathname === '/abandon') {
      void waiting.catch(() => {})
      return Response.json('abandoned')
    }
    return Response.json(await waiting)
  },
}
