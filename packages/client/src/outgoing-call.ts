/** An outgoing call, as the functions `key`, `cost` and `policy` get it. */
export interface OutgoingCall {
  /** The whole address. */
  readonly url: string
  /** In upper case. */
  readonly method: string
  readonly headers: Headers
}

/** The headers of a dispatch of undici: an object, a flat list of names and values, or pairs. */
export function toHeaders(given: unknown): Headers {
  const headers = new Headers()
  const add = (name: unknown, value: unknown): void => {
    for (const line of Array.isArray(value) ? value : [value]) {
      if (line !== undefined && line !== null) headers.append(String(name), String(line))
    }
  }
  if (Array.isArray(given)) {
    for (let i = 0; i + 1 < given.length; i += 2) add(given[i], given[i + 1])
  } else if (typeof (given as Iterable<unknown> | undefined)?.[Symbol.iterator] === 'function') {
    for (const [name, value] of given as Iterable<readonly [unknown, unknown]>) add(name, value)
  } else if (typeof given === 'object' && given !== null) {
    for (const [name, value] of Object.entries(given)) add(name, value)
  }
  return headers
}
