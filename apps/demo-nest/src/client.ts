const LIMIT_HEADERS = ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'retry-after'] as const

/** Sends requests and prints the answers, one line each. */
export class Client {
  /** Whether everything was as expected so far. */
  ok = true
  readonly #url: string
  readonly #print: (line: string) => void

  constructor(url: string, print: (line: string) => void) {
    this.#url = url
    this.#print = print
  }

  title(text: string): void {
    this.#print(`\n${text}`)
    this.#print(`  ${'request'.padEnd(17)} status   Limit  Remaining  Reset  Retry-After`)
  }

  /** Sends a request; its status is to be `status`. */
  async expect(
    status: number,
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: object,
  ): Promise<Response> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const type = { ...headers, 'Content-Type': 'application/json' }
    const response = await fetch(this.#url + path, { method, headers: type, ...sent })
    const [limit, remaining, reset, retry] = LIMIT_HEADERS.map(name => response.headers.get(name) ?? '–')
    const seconds = reset === '–' ? reset : `+${Math.max(0, Number(reset) - Math.floor(Date.now() / 1000))} s`
    const cells = [limit?.padStart(7), remaining?.padStart(11), seconds?.padStart(7), retry?.padStart(13)]
    this.#print(`  ${`${method} ${path}`.padEnd(17)} ${response.status}  ${cells.join('')}`)
    this.check(`the status is ${status}`, response.status === status)
    return response
  }

  async body(response: Response): Promise<void> {
    this.#print(`  ${await response.text()}`)
  }

  /** Notes what does not hold. */
  check(what: string, holds: boolean): void {
    if (holds) return
    this.ok = false
    this.#print(`  ✗ expected: ${what}`)
  }
}
