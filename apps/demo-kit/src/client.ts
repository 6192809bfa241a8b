const STANDARD = ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'retry-after'] as const
const WIDTH = 21

/** Sends requests and prints the answers, one line each. */
export class Client {
  /** True while every answer was as expected. */
  ok = true
  readonly #url: string
  readonly #print: (line: string) => void

  constructor(url: string, print: (line: string) => void) {
    this.#url = url
    this.#print = print
  }

  title(text: string): void {
    this.heading(text)
    this.#print(`  ${'request'.padEnd(WIDTH)} status  Limit  Remaining   Reset  Retry-After`)
  }

  /** Begins a scene that has no table. */
  heading(text: string): void {
    this.#print(`\n${text}`)
  }

  print(line: string): void {
    this.#print(`  ${line}`)
  }

  /** Sends a request and prints the answer, which should have this status. */
  async expect(
    status: number,
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: object,
  ): Promise<Response> {
    const response = await this.send(method, path, headers, body)
    const [limit, remaining, reset, retry] = STANDARD.map(name => response.headers.get(name) ?? '–')
    const seconds = reset === '–' ? reset : until(Number(reset))
    const cells = [limit?.padStart(6), remaining?.padStart(11), seconds?.padStart(8), retry?.padStart(13)]
    this.#print(`  ${`${method} ${path}`.padEnd(WIDTH)} ${response.status}    ${cells.join('')}`)
    this.check(`the status is ${status}`, response.status === status)
    return response
  }

  /** Sends a request and prints nothing. */
  send(method: string, path: string, headers: Record<string, string> = {}, body?: object): Promise<Response> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const type = { ...headers, 'Content-Type': 'application/json' }
    return fetch(this.#url + path, { method, headers: type, ...sent })
  }

  async body(response: Response): Promise<string> {
    const text = await response.text()
    for (const line of text.trimEnd().split('\n')) this.#print(`  ${line}`)
    return text
  }

  /** Prints a condition that does not hold. */
  check(what: string, holds: boolean): void {
    if (holds) return
    this.ok = false
    this.#print(`  ✗ expected: ${what}`)
  }
}

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
] as const

/**
 * The time until an instant (Unix seconds), as `+3 s`, `+5 h` or `+6 d`. A header rounds the instant up to a whole second. So this
 * rounds down, else a limit of four seconds would come back after five.
 */
export function until(instant: number, now: number = Date.now() / 1000): string {
  const seconds = instant - now
  const [size, unit] = UNITS.find(([each]) => seconds >= 3 * each) ?? [1, 's']
  return `+${Math.max(seconds > 0 ? 1 : 0, Math.floor(seconds / size))} ${unit}`
}
