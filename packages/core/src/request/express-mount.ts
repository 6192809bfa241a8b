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

/** An entry of an Express 4 or 5 router's stack: a route, a router mounted on it, or another handler. */
export interface Layer {
  readonly route?: unknown
  readonly handle?: { readonly stack?: unknown } | null
  /** Express 4. */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean }
  readonly keys?: readonly ({ readonly name?: unknown } | string)[]
  /** Express 5. */
  readonly slash?: boolean
  readonly matchers?: readonly ((path: string) => { readonly path: string } | false)[]
  /** The pattern as the application wrote it. Only in router 2.3 and later. */
  readonly rawPath?: string | RegExp | readonly (string | RegExp)[]
}

const patterns = new WeakMap<Layer, string>()
// A longer segment of a path is treated as the value of a parameter, and a longer optional part of a pattern is not noticed.
const LONGEST = 64
const PERCENT = 37

/** The part of a path, from its start, that a layer matches; undefined if it does not match. */
function prefixOf({ regexp, slash, matchers }: Layer, path: string): string | undefined {
  if (slash === true || regexp?.fast_slash === true) return ''
  if (regexp !== undefined) return regexp.exec(path)?.[0]
  for (const matcher of matchers ?? []) {
    const match = matcher(path)
    if (match !== false) return match.path
  }
  return undefined
}

/** The pattern of a layer that matches the start of a path. It holds no part of the path that a client can choose. */
export function patternOf(layer: Layer, path: string): string {
  let pattern = patterns.get(layer)
  if (pattern === undefined) patterns.set(layer, (pattern = readPattern(layer, path)))
  return pattern
}

function readPattern(layer: Layer, path: string): string {
  const { regexp, keys, slash, rawPath, matchers } = layer
  if (slash === true || regexp?.fast_slash === true) return ''
  if (rawPath !== undefined) return String(rawPath)
  if (regexp !== undefined) return patternIn(regexp, keys ?? [])
  // Which path comes first must not matter, because processes may share the counters. Each path of a list has a matcher.
  if (matchers !== undefined && (matchers.length > 1 || matchers[0]?.name === 'regexpMatcher')) return '/*'
  const segments = shortest(layer, prefixOf(layer, path) ?? '')
    .replace(/\/$/, '')
    .split('/')
  const parts = segments.map((segment, at) => (isFixed(layer, segments, at) ? segment.toLowerCase() : ':'))
  return parts.filter((part, at) => part !== ':' || parts[at - 1] !== ':').join('/')
}

// Turns a regular expression that Express 4 made back into the pattern, as far as possible.
function patternIn({ source }: RegExp, keys: NonNullable<Layer['keys']>): string {
  let at = 0
  const name = (): string => {
    const key = keys[at++]
    return `/:${typeof key === 'object' ? String(key.name) : ''}`
  }
  return source
    .replace(/^\^/, '')
    .replace(/(?:\\\/)?\??\(\?=\\\/\|\$\)$/, '')
    .replaceAll(/\(\?:\\\/\(\[\^\\?\/\]\+\?\)\)/g, name)
    .replaceAll(/\\([/.-])/g, '$1')
}

// The shortest path that a layer takes instead of another one, without the optional parts of its pattern. A client chooses the path,
// and no layer takes half of an escape. So the layer is not asked about those, or a long value of escapes would cost seconds.
function shortest(layer: Layer, path: string): string {
  let found = path
  for (let length = LONGEST; length > 0; length--)
    for (let at = 0; at + length <= found.length;) {
      const isWhole = !isInEscapes(found, at) && !isInEscapes(found, at + length)
      const shorter = isWhole ? found.slice(0, at) + found.slice(at + length) : found
      if (isWhole && takes(layer, shorter)) found = shorter
      else at++
    }
  return found
}

/** Whether an index is within an escape, such as `%41`, or between two, which may be one character. */
function isInEscapes(path: string, at: number): boolean {
  const isPercent = (i: number): boolean => path.charCodeAt(i) === PERCENT
  return isPercent(at - 1) || isPercent(at - 2) || (isPercent(at - 3) && isPercent(at))
}

function takes(layer: Layer, path: string): boolean {
  try {
    return prefixOf(layer, path) === path
  } catch {
    // The path has half of an escape.
    return false
  }
}

// Routers before 2.3 do not keep the pattern. A segment is fixed if the layer stops matching wherever a character is inserted;
// the value of a parameter still matches.
function isFixed(layer: Layer, segments: readonly string[], at: number): boolean {
  const segment = segments[at] as string
  if (segment === '') return true
  if (segment.length > LONGEST) return false
  for (let i = 0; i <= segment.length; i++) {
    const other = segments.with(at, `${segment.slice(0, i)}~${segment.slice(i)}`).join('/')
    if (prefixOf(layer, other) !== undefined) return false
  }
  return true
}
