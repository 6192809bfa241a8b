/** The headers of an answer by lower-case name. Several lines of one name are joined with commas. */
export type HeaderList = ReadonlyMap<string, string>

/**
 * Reads the headers of an answer: of a `Response`, of an object with `headers`, or headers alone. Anything else has no headers.
 * Never throws.
 */
export function headersOf(answer: unknown): HeaderList {
  const found = new Map<string, string>()
  try {
    const given = isObject(answer) && isObject(answer['headers']) ? answer['headers'] : answer
    if (!isObject(given)) return found
    if (typeof given['forEach'] === 'function' && typeof given['get'] === 'function') {
      const headers = given as { forEach(visit: (value: unknown, name: unknown) => void): void }
      headers.forEach((value, name) => add(found, String(name), value))
    } else {
      for (const [name, value] of Object.entries(given)) add(found, name, value)
    }
  } catch {
    // An object whose getters throw. The headers before it stay.
  }
  return found
}

function add(found: Map<string, string>, name: string, value: unknown): void {
  const lines = (Array.isArray(value) ? value : [value]).filter(
    line => typeof line === 'string' || typeof line === 'number',
  )
  if (lines.length > 0) found.set(name.toLowerCase(), lines.join(', '))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
