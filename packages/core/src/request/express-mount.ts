import { type Layer, patternOf, prefixOf } from './express-layer.ts'

/** A chain of mounted routers that leads from an app to a route. */
interface MountChain {
  /** The path at which the app itself is mounted. */
  readonly above: string
  readonly mounts: readonly Layer[]
  /** The whole pattern, set by the first request that took this chain. */
  pattern?: string
}

interface App {
  readonly _router?: { readonly stack?: unknown }
  readonly router?: { readonly stack?: unknown }
  path?(): unknown
}

/** The pattern of mounts that cannot be known, such as a router called by a function. */
const UNKNOWN = '*'
const DEEPEST = 16
/** The most ways to a route, and the most routers that are looked at for them. */
const MOST_CHAINS = 64
const MOST_VISITS = 10_000

const chains = new WeakMap<object, readonly MountChain[]>()

/**
 * The pattern under which a route's router is mounted; empty at the root.
 *
 * Express gives the mount path only as the client spelled it, with the values of parameters. So the router is looked up in the
 * app, once per route, and nothing that a client sends becomes part of the pattern.
 */
export function expressMount(app: unknown, baseUrl: unknown, route: object): string {
  if (typeof baseUrl !== 'string') return ''
  try {
    let found = chains.get(route)
    if (found === undefined) chains.set(route, (found = chainsTo(app as App | undefined, route)))
    // A router with an optional mount path, such as "/:lang?", is looked up without the path too.
    if (baseUrl === '' && found.length === 0) return ''
    const chain = found.length === 1 ? found[0] : found.find(each => restsOf(each, baseUrl) !== undefined)
    return chain === undefined ? UNKNOWN : (chain.pattern ??= chain.above + patternsOf(chain, baseUrl))
  } catch {
    // The app is not one that Express made.
    return baseUrl === '' ? '' : UNKNOWN
  }
}

function chainsTo(app: App | undefined, route: object): readonly MountChain[] {
  // In Express 4 the property `router` throws.
  const stack = (app?._router ?? app?.router)?.stack
  const path = app?.path?.()
  const above = typeof path === 'string' ? path : ''
  return search(stack, route).map(mounts => ({ above, mounts }))
}

/** A router, and how the search has come to it. */
interface Visit {
  readonly stack: unknown
  readonly mounts: readonly Layer[]
  /** The places of the mounts in their routers. */
  readonly order: readonly number[]
}

// The nearest first, because a router may be mounted within itself: then there is no end of chains.
function search(stack: unknown, route: object): (readonly Layer[])[] {
  const visits: Visit[] = [{ stack, mounts: [], order: [] }]
  const found: Visit[] = []
  for (let i = 0; i < visits.length && found.length < MOST_CHAINS; i++) {
    const visit = visits[i] as Visit
    if (!Array.isArray(visit.stack) || visit.mounts.length > DEEPEST) continue
    for (const [at, layer] of (visit.stack as readonly Layer[]).entries()) {
      const order = [...visit.order, at]
      if (layer.route === route) found.push({ ...visit, order })
      else if (layer.handle?.stack !== undefined && visits.length < MOST_VISITS)
        visits.push({ stack: layer.handle.stack, mounts: [...visit.mounts, layer], order })
    }
  }
  // Express tries them in this order.
  return found.sort(inOrder).map(({ mounts }) => mounts)
}

function inOrder({ order: one }: Visit, { order: other }: Visit): number {
  const at = one.findIndex((place, i) => place !== other[i])
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0)
}

function patternsOf(chain: MountChain, baseUrl: string): string {
  const rests = restsOf(chain, baseUrl) ?? []
  return chain.mounts.map((layer, at) => patternOf(layer, rests[at] ?? baseUrl)).join('')
}

/** The rest of `baseUrl` that each router of a chain is matched against; undefined if the chain does not lead to `baseUrl`. */
function restsOf({ above, mounts }: MountChain, baseUrl: string): readonly string[] | undefined {
  // The mount paths of the outer apps come first in `baseUrl`, and end at one of its slashes.
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
