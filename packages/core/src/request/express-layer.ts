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
export function prefixOf({ regexp, slash, matchers }: Layer, path: string): string | undefined {
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
