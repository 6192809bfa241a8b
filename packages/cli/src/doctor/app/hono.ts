import { type AppRoute, type AppRoutes, isGuard } from './route.ts'

interface HonoRoute {
  readonly method: string
  readonly path: string
  readonly handler: unknown
}

/** The routes of a Hono application; undefined for anything else. */
export function honoRoutes(app: unknown): AppRoutes | undefined {
  const { routes, fetch } = (app ?? {}) as { readonly routes?: unknown; readonly fetch?: unknown }
  if (!Array.isArray(routes) || typeof fetch !== 'function') return undefined
  const all = routes as readonly HonoRoute[]
  const found = new Map<string, AppRoute>()
  for (const [i, { method, path, handler }] of all.entries()) {
    // A middleware is an entry, too. Hono does not tell them apart, but only a middleware stands on a path with a wildcard.
    if (isGuard(handler) || (method === 'ALL' && path.endsWith('*'))) continue
    const isLimited = all.slice(0, i).some(other => isGuard(other.handler) && covers(other, method, path))
    const id = `${method} ${path}`
    found.set(id, { method, path, isLimited: found.get(id)?.isLimited === true || isLimited })
  }
  return { framework: 'Hono', routes: [...found.values()], notes: [] }
}

/** Whether an entry is called for the requests of a route. */
function covers(guard: HonoRoute, method: string, path: string): boolean {
  if (guard.method !== 'ALL' && guard.method !== method) return false
  const [pattern, own] = [guard.path.split('/'), path.split('/')]
  const hasRest = pattern.at(-1) === '*'
  if (hasRest) pattern.pop()
  if (hasRest ? own.length < pattern.length : own.length !== pattern.length) return false
  return pattern.every((part, i) => part === own[i] || part === '*' || /^:\w+$/.test(part))
}
