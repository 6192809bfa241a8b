type Plain = Readonly<Record<string, string | readonly string[] | undefined>>

/** Headers in the form of Node (an object with lower-case names) or of Fetch (an object with `get`). */
export type HeaderBag = Plain | { get(name: string): string | null }

/** The headers of a request without headers. */
export const NO_HEADERS: HeaderBag = Object.freeze({})

/** Reads one header; several lines of it as a list. The name must be in lower case. */
export function readHeader(headers: HeaderBag, name: string): string | readonly string[] | undefined {
  if (typeof headers.get === 'function')
    return (headers as { get(name: string): string | null }).get(name) ?? undefined
  return textOf((headers as Plain)[name])
}

/**
 * Finds a header that is present and that `isWanted` accepts. Returns its name.
 *
 * @param likely the names to try if the bag cannot list its own
 */
export function findHeader(
  headers: HeaderBag,
  isWanted: (name: string) => boolean,
  likely: readonly string[],
): string | undefined {
  const { get, keys } = headers as { get?: unknown; keys?: unknown }
  if (typeof get !== 'function') {
    for (const name in headers) if (isWanted(name) && readHeader(headers, name) !== undefined) return name
    return undefined
  }
  if (typeof keys !== 'function') return likely.find(name => readHeader(headers, name) !== undefined)
  for (const name of (headers as unknown as Headers).keys()) {
    if (isWanted(name) && readHeader(headers, name) !== undefined) return name
  }
  return undefined
}

/** Wraps headers whose names may have any case, as in a hand-made request. They are converted only when a look-up needs it. */
export function anyCase(headers: Plain): HeaderBag {
  return new AnyCase(headers) as unknown as HeaderBag
}

class AnyCase {
  readonly #given: Plain
  #lower: Map<string, string | readonly string[] | undefined> | undefined

  constructor(given: Plain) {
    this.#given = given
  }

  get(name: string): string | readonly string[] | undefined {
    return textOf(this.#given[name]) ?? textOf(this.#byLowerCase().get(name))
  }

  keys(): Iterable<string> {
    return this.#byLowerCase().keys()
  }

  #byLowerCase(): Map<string, string | readonly string[] | undefined> {
    return (this.#lower ??= new Map(
      Object.entries(this.#given).map(([key, value]) => [key.toLowerCase(), value]),
    ))
  }
}

// Also rejects the properties of a prototype.
function textOf(value: unknown): string | readonly string[] | undefined {
  return typeof value === 'string' || Array.isArray(value) ? value : undefined
}

/** The value of one header of a request: one line, several lines, or undefined. */
export type HeaderValue = string | readonly string[] | undefined

const HEADERS = [
  'x-forwarded-for',
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'cf-connecting-ip',
  'true-client-ip',
  'fly-client-ip',
  'fastly-client-ip',
  'cloudfront-viewer-address',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'x-envoy-external-address',
  'x-azure-clientip',
  'x-appengine-user-ip',
  'do-connecting-ip',
  'proxy-client-ip',
  'wl-proxy-client-ip',
] as const

/** The headers in which a proxy may name its client. A request with such a header came through a proxy, or forged it. */
export const FORWARDING_HEADERS: readonly string[] = Object.freeze([...HEADERS])

/** A header that names the client: a known one, or another of your proxy. */
export type ClientIpHeader = (typeof HEADERS)[number] | (string & {})

/** One hop, as a header names it. */
interface Entry {
  /** The text as received. */
  readonly text: string
  /** The part that should be an address; undefined if there is none. */
  readonly address: string | undefined
}

/** The hops that a header names, the nearest first. */
export interface Entries {
  readonly nearestFirst: readonly Entry[]
  /** Whether the header names more hops than Halt reads. */
  readonly cut: boolean
}

/** How a header names the client: by a list of hops, by a list as in RFC 7239, or by a single address, bare or before a port. */
export type ForwardingSyntax = 'list' | 'rfc7239' | 'single' | 'ported'

/** The dialect of a header. The name must be in lower case. */
export function syntaxOf(name: string): ForwardingSyntax {
  if (name === 'forwarded') return 'rfc7239'
  if (name === 'cloudfront-viewer-address') return 'ported'
  return name.endsWith('forwarded-for') ? 'list' : 'single'
}

const MAX_HOPS = 32
const MAX_CHARACTERS = 2048
const NOTHING: Entries = Object.freeze({ nearestFirst: Object.freeze([]), cut: false })

/** Reads the hops from a header's value. */
export function readEntries(value: HeaderValue, syntax: ForwardingSyntax): Entries {
  if (value === undefined) return NOTHING
  const lines = typeof value === 'string' ? [value] : value
  if (syntax === 'single') return single(lines)
  // CloudFront writes IPv6 without brackets, so only its header tells that the last number is a port.
  if (syntax === 'ported') return single(lines, /:\d+$/)
  const { items, cut } = splitFromRight(lines, syntax === 'rfc7239')
  const nearestFirst = items.map(text => ({ text, address: syntax === 'list' ? text : forParameter(text) }))
  return { nearestFirst, cut }
}

// If a header with a single address comes twice, two parties have set it, and we cannot tell which one to trust.
function single([text, second]: readonly string[], port: RegExp | '' = ''): Entries {
  if (text === undefined) return NOTHING
  const address = second === undefined ? text.replace(port, '') : undefined
  const entry = { text: second === undefined ? text : `${text}, ${second}`, address }
  return { nearestFirst: [entry], cut: false }
}

/**
 * Splits header lines at their commas, from the end of the last line to the start of the first.
 *
 * Proxies append on the right, so the entries of trusted proxies are read first. An open quote or ten thousand entries that the
 * client sent cannot disturb them. An entry that the limit cuts is dropped, because `11.2.3.4` must not become `1.2.3.4`. Empty
 * elements are skipped, as RFC 9110 section 5.6.1.2 requires.
 */
function splitFromRight(lines: readonly string[], quotes: boolean): { items: string[]; cut: boolean } {
  const items: string[] = []
  let hops = MAX_HOPS
  let characters = MAX_CHARACTERS
  for (const line of lines.toReversed()) {
    const floor = Math.max(0, line.length - characters)
    let end = line.length
    do {
      const comma = commaBefore(line, end, floor, quotes)
      if ((comma < 0 && floor > 0) || hops-- === 0) return { items, cut: true }
      const item = line.slice(comma + 1, end).trim()
      if (item !== '') items.push(item)
      end = comma
    } while (end >= 0)
    characters -= line.length + 1
  }
  return { items, cut: false }
}

// The last comma in [floor, end) outside quoted strings, or -1.
function commaBefore(line: string, end: number, floor: number, quotes: boolean): number {
  let quoted = false
  for (let i = end - 1; i >= floor; i--) {
    const code = line.charCodeAt(i)
    if (code === COMMA && !quoted) return i
    if (quotes && code === QUOTE && !escaped(line, i)) quoted = !quoted
  }
  return -1
}

const COMMA = 44
const QUOTE = 34
const BACKSLASH = 92

function escaped(line: string, at: number): boolean {
  let first = at
  while (first > 0 && line.charCodeAt(first - 1) === BACKSLASH) first--
  return (at - first) % 2 === 1
}

const PAIR = /[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+))[ \t]*)?(?:;|$)/y

/** The `for` of one element of `Forwarded` (RFC 7239), such as `for="[2001:db8::1]:4711";proto=https`; undefined if malformed. */
function forParameter(element: string): string | undefined {
  let found: string | undefined
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < element.length) {
    const match = PAIR.exec(element)
    if (match === null) return undefined
    if (match[1]?.toLowerCase() !== 'for') continue
    if (found !== undefined) return undefined
    found = match[2]?.replace(/\\(.)/g, '$1') ?? match[3]
  }
  return found
}
