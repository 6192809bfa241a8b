type Plain = Readonly<Record<string, string | readonly string[] | undefined>>

/** Headers as Node has them (lower-case names) or as Fetch has them. */
export type HeaderBag = Plain | { get(name: string): string | null }

/** The headers of a request that has none. */
export const NO_HEADERS: HeaderBag = Object.freeze({})

/** Reads one header, its name in lower case; several lines of it as one list. */
export function readHeader(headers: HeaderBag, name: string): string | readonly string[] | undefined {
  if (typeof headers.get === 'function')
    return (headers as { get(name: string): string | null }).get(name) ?? undefined
  return textOf((headers as Plain)[name])
}

/**
 * The name of a header that is there and is wanted.
 *
 * @param likely the names to ask for where the bag cannot list its own
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

/** Headers whose names may be written in any case, as in requests that are made by hand. Looked through only when asked. */
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

// Also keeps out what a prototype has.
function textOf(value: unknown): string | readonly string[] | undefined {
  return typeof value === 'string' || Array.isArray(value) ? value : undefined
}
