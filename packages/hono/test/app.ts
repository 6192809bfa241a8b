import type { Store } from '@halt/core/store'
import { type AdapterUnderTest, ROUTES, type Setup, type StoreUnderTest } from '@halt/conformance'
import { InMemoryStore } from '@halt/store-memory'
import { type Context, type Handler, Hono } from 'hono'

import { type GetConnInfo, halt, type HaltOptions } from '../src/index.ts'

/** The stores that the suite runs on. */
export const stores: readonly StoreUnderTest[] = [
  { name: 'memory', make: ({ now }) => new InMemoryStore({ clock: now }) },
  { name: 'a store that answers later', make: ({ now }) => later(new InMemoryStore({ clock: now })) },
]

function later(store: Store): Store {
  return { evaluate: async group => store.evaluate(group), forget: cells => store.forget(cells) }
}

/** What is the same for the adapter on every runtime. */
export const common: Pick<AdapterUnderTest, 'header' | 'status' | 'answer'> = {
  header: (c: Context, name) => c.req.header(name),
  status: (response: Response) => response.status,
  answer: (c: Context, { status, body }) =>
    status === undefined ? c.text(body) : c.text(body, status as 200),
}

// What is below is in a router of its own.
const MOUNT = '/tenants/:tenant'

/** The fixed API of the suite. */
export function build({ guards, handle, headers }: Setup, getConnInfo: GetConnInfo): Hono {
  type Guarded = Hono<{ Variables: { user: { id: string } } }>
  const app: Guarded = new Hono()
  const guard = (options: unknown): Handler => halt({ ...(options as HaltOptions), getConnInfo })
  app.use(async (c, next) => {
    const id = c.req.header('x-user')
    if (id !== undefined) c.set('user', { id })
    for (const [name, value] of Object.entries(headers)) c.header(name, value)
    await next()
  })
  for (const { at, options } of guards) if (at === undefined) app.use(guard(options))
  for (const { method, path } of ROUTES) {
    const own = guards.filter(({ at }) => at === path).map(({ options }) => guard(options))
    const router = path.startsWith(MOUNT) ? (new Hono() as Guarded) : app
    const below = router === app ? path : path.slice(MOUNT.length)
    router.on(method, [below], ...own, async c => {
      const { status, body } = await handle({ method, path, decision: c.get('halt') })
      return c.text(body, status as 200)
    })
    if (router !== app) app.route(MOUNT, router)
  }
  // Hono's own prints the errors that tests throw.
  app.onError((_error, c) => c.text('broken', 500))
  return app as unknown as Hono
}
