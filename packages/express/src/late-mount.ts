import type { Warn } from '@halt/core'
import type { Request } from 'express'

/** What Express keeps of a middleware, of a route, or of a router. */
interface Layer {
  readonly route?: object | undefined
  readonly handle?: { readonly length: number; readonly stack?: readonly Layer[] } | undefined
}

/** An application. Express 4, which has `lazyrouter`, keeps its router in `_router`, and throws where `router` is read. */
interface AppWithRouter {
  readonly lazyrouter?: unknown
  readonly _router?: RouterStack | undefined
  readonly router?: RouterStack | undefined
}
interface RouterStack {
  readonly stack?: readonly Layer[] | undefined
}

/**
 * Warns if a middleware of an application comes after all its routes and routers, so that it counts only the requests that none of
 * them has answered. Handlers of errors may follow it. A limit for 404s is followed by the handler that answers them, and never warned of.
 */
export function noticeLateMount(request: Partial<Request>, middleware: object, warn: Warn): void {
  const app = request.app as AppWithRouter | undefined
  const layers = (app?.lazyrouter === undefined ? app?.router : app._router)?.stack ?? []
  const own = layers.findIndex(({ handle }) => handle === middleware)
  const isLast = layers.slice(own + 1).every(({ handle }) => handle?.length === 4)
  if (own === -1 || !isLast || !layers.slice(0, own).some(isOfRoutes)) return
  warn({
    code: 'HALT_W_MOUNTED_LAST',
    message: 'halt() is mounted after all routes, so it counts only requests that no route has answered.',
    fix: 'Mount it before the routes: app.use(halt({ policy })), then app.get(…).',
  })
}

function isOfRoutes({ route, handle }: Layer): boolean {
  return route !== undefined || handle?.stack !== undefined
}
