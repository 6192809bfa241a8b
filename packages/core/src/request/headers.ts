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
