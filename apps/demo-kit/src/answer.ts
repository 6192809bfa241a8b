/** A response, independent of the framework. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A request of an operator, independent of the framework. */
export interface Visit {
  readonly method: string
  /** The path and the query. */
  readonly url: string
  /** The socket's peer. */
  readonly ip: string | undefined
  /** A header by its name in lower case. */
  readonly header: (name: string) => string | undefined
}

const COMMON = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }

/** An answer with headers that forbid caching and content sniffing. */
export function answer(
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers: { ...COMMON, 'Content-Type': type, ...headers }, body }
}

export function json(status: number, data: unknown): Answer {
  return answer(status, 'application/json; charset=utf-8', JSON.stringify(data))
}

export function text(status: number, body: string, headers?: Readonly<Record<string, string>>): Answer {
  return answer(status, 'text/plain; charset=utf-8', `${body}\n`, headers)
}
