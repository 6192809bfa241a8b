import { RateLimiter, type RateLimiterOptions } from '@halt/core'
import { ManualClock } from '@halt/core/testing'
import { resilience } from '@halt/core/resilience'
import type { Group, Store } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'
import Fastify, { type FastifyInstance, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import { onTestFinished } from 'vitest'

/** An app that ends with the test. */
export function makeApp(options: FastifyServerOptions = {}): FastifyInstance {
  const app = Fastify({ forceCloseConnections: true, ...options })
  onTestFinished(() => app.close())
  return app
}

/** Starts an app on a free port and gives `get(path)`. */
export async function listen(
  app: FastifyInstance,
): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return (path, init) => fetch(url + path, init)
}

/** A limiter of one policy on its own store, which counts localhost too. */
export function makeLimiter(
  limit = 2,
  options: Partial<RateLimiterOptions<FastifyRequest>> = {},
): RateLimiter<FastifyRequest> {
  const policy = { name: 'global', limit, window: 60 }
  return new RateLimiter({
    store: new InMemoryStore({ clock: new ManualClock().now }),
    policy,
    exemptPrivateIps: false,
    ...options,
  })
}

/** A store that records the groups that it evaluates. */
export class CountingStore implements Store {
  readonly kind = 'counting'
  readonly evaluator: NonNullable<Store['evaluator']> = resilience
  readonly groups: Group[] = []
  readonly #store = new InMemoryStore()
  readonly #isAsync: boolean

  constructor(isAsync = false) {
    this.#isAsync = isAsync
  }

  evaluate(group: Group): ReturnType<Store['evaluate']> {
    this.groups.push(group)
    const verdict = this.#store.evaluate(group)
    return this.#isAsync ? Promise.resolve(verdict) : verdict
  }

  forget(cells: Parameters<Store['forget']>[0]): number | Promise<number> {
    return this.#store.forget(cells)
  }
}

/** The statuses of several requests, one after another. */
export async function statuses(count: number, ask: () => Promise<{ status: number }>): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < count; i++) found.push((await ask()).status)
  return found
}
