/** What a framework sends, as it is. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What an operator's request is, whatever the framework. */
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

/** An answer that nobody keeps, and that is nothing but what it says to be. */
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
