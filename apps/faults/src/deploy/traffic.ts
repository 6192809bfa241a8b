import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'

import { type RouteName, ROUTES } from './policies.ts'

const TICK_MS = 10
// Slow enough to be under way when a process is told to end.
const SLOWEST_MS = 120

/** What clients have seen: how many answers of each status each route gave. */
export type Answers = Readonly<Record<RouteName, ReadonlyMap<number, number>>>

/** Clients that ask every route in turn, by GET and by POST, on connections that stay open. It counts outside of Halt. */
export class Traffic {
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #out = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout
  readonly #answers = Object.fromEntries(ROUTES.map(route => [route, new Map<number, number>()])) as Record<
    RouteName,
    Map<number, number>
  >
  readonly #unanswered = new Map<string, number>()
  #asked = 0

  /** @param perTick requests every 10 ms */
  constructor(port: number, perTick: number) {
    this.#port = port
    this.#timer = setInterval(() => {
      for (let i = 0; i < perTick; i++) this.#ask()
    }, TICK_MS)
  }

  get asked(): number {
    return this.#asked
  }

  /** Ends the traffic, and waits for all answers. `unanswered` says how often each error came. */
  async stop(): Promise<{ readonly answers: Answers; readonly unanswered: ReadonlyMap<string, number> }> {
    clearInterval(this.#timer)
    await Promise.all(this.#out)
    this.#agent.destroy()
    return { answers: this.#answers, unanswered: this.#unanswered }
  }

  #ask(): void {
    const n = this.#asked++
    const route = ROUTES[n % ROUTES.length] as RouteName
    const turn = Math.floor(n / ROUTES.length)
    const isFailure = turn % 3 === 0
    const status = !isFailure ? 200 : route === 'logins' ? 401 : route === 'refunds' ? 404 : 200
    const path = `/${route}?status=${status}&ms=${(turn * 7) % SLOWEST_MS}`
    const call = this.#send(turn % 2 === 0 ? 'GET' : 'POST', path)
      .then(
        found => count(this.#answers[route], found),
        (error: unknown) => count(this.#unanswered, String((error as { code?: unknown }).code ?? error)),
      )
      .finally(() => this.#out.delete(call))
    this.#out.add(call)
  }

  async #send(method: string, path: string): Promise<number> {
    const asked = request({ host: '127.0.0.1', port: this.#port, method, path, agent: this.#agent })
    asked.end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    return response.statusCode ?? 0
  }
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
