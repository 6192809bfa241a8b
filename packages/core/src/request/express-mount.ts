import { type Layer, patternOf, prefixOf } from './express-layer.ts'

/** A way from an app to a route: the mounts of the routers on it. */
interface Way {
  /** Where the app itself is mounted. */
  readonly above: string
  readonly mounts: readonly Layer[]
  /** The whole pattern, once a request has come this way. */
  pattern?: string
}

interface App {
  readonly _router?: { readonly stack?: unknown }
  readonly router?: { readonly stack?: unknown }
  path?(): unknown
}

/** Stands for mounts whose pattern nobody can tell, as behind a function that calls a router. */
const UNKNOWN = '*'
const DEEPEST = 16

const ways = new WeakMap<object, readonly Way[]>()

/**
 * The pattern under which the router of a route is mounted; empty at the root.
 *
 * Express tells a request its mount only as the client spelled it, values of parameters included. So the router is looked
 * up in the app, once for each route: what a client sends is never part of the pattern.
 */
export function expressMount(app: unknown, baseUrl: unknown, route: object): string {
  if (typeof baseUrl !== 'string' || baseUrl === '') return ''
  try {
    let found = ways.get(route)
    if (found === undefined) ways.set(route, (found = waysTo(app as App | undefined, route)))
    const way = found.length === 1 ? found[0] : found.find(each => restsOf(each, baseUrl) !== undefined)
    return way === undefined ? UNKNOWN : (way.pattern ??= way.above + patternsOf(way, baseUrl))
  } catch {
    // The app is not one that Express made.
    return UNKNOWN
  }
}

function waysTo(app: App | undefined, route: object): readonly Way[] {
  // Express 4 throws for `router`.
  const stack = (app?._router ?? app?.router)?.stack
  const path = app?.path?.()
  const above = typeof path === 'string' ? path : ''
  return search(stack, route, []).map(mounts => ({ above, mounts }))
}

function search(stack: unknown, route: object, mounts: readonly Layer[]): (readonly Layer[])[] {
  if (!Array.isArray(stack) || mounts.length > DEEPEST) return []
  return (stack as readonly Layer[]).flatMap(layer =>
    layer.route === route ? [mounts] : search(layer.handle?.stack, route, [...mounts, layer]),
  )
}

function patternsOf(way: Way, baseUrl: string): string {
  const rests = restsOf(way, baseUrl) ?? []
  return way.mounts.map((layer, at) => patternOf(layer, rests[at] ?? baseUrl)).join('')
}

/** What each mount of a way matches the start of; undefined where the way does not lead to this mount. */
function restsOf({ above, mounts }: Way, baseUrl: string): readonly string[] | undefined {
  // The mounts of the apps above come first. They end at one of the slashes.
  const most = above === '' ? 1 : DEEPEST
  for (let from = 0, i = 0; from >= 0 && i < most; from = baseUrl.indexOf('/', from + 1), i++) {
    const rests: string[] = []
    let rest = baseUrl.slice(from)
    for (const layer of mounts) {
      rests.push(rest)
      const prefix: string | undefined = prefixOf(layer, rest)
      if (prefix === undefined) break
      rest = rest.slice(prefix.length)
    }
    if (rest === '' && rests.length === mounts.length) return rests
  }
  return undefined
}
