import {
  CompositeTelemetry,
  type Explanation,
  RateLimiter,
  type RateLimiterOptions,
  type Telemetry,
} from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

import { type Answer, json, text, type Visit } from './answer.ts'
import { LIVE, Live } from './live/live.ts'
import { Metrics, METRICS } from './metrics.ts'
import { Pass } from './pass.ts'

const DOOR = { name: 'door', limit: 10, window: '1m', inFlight: 20 } as const

/**
 * What an operator may see of an app: the live page, metrics, and why a request would be refused. Only with the token; ten wrong
 * ones a minute and address are looked at.
 */
export class Operator {
  readonly #pass: Pass
  readonly #live: Live
  readonly #metrics = new Metrics()
  /** For all limiters that are to be seen. */
  readonly telemetry: Telemetry
  // Its own: a full store keeps nobody out, and who is kept out fills no store.
  readonly #door = new RateLimiter({ store: new InMemoryStore({ maxKeys: 10_000 }), policy: DOOR })

  /** @throws Error for a token short enough to be guessed */
  constructor(token: string, store: RateLimiterOptions['store']) {
    this.#pass = new Pass(token)
    this.#live = new Live(store)
    this.telemetry = new CompositeTelemetry(this.#live.recorder, this.#metrics.telemetry)
  }

  /** The operator of an app, if there is a token: `HALT_OPERATOR_TOKEN`. */
  static from(token: string | undefined, store: RateLimiterOptions['store']): Operator | undefined {
    return token === undefined || token === '' ? undefined : new Operator(token, store)
  }

  /** Answers for the live page and the metrics; undefined: something else was asked for. */
  async pages(visit: Visit): Promise<Answer | undefined> {
    const path = visit.url.split('?', 1)[0] ?? ''
    if (path === METRICS) return (await this.#refusal(visit)) ?? this.#metrics.answer()
    if (path !== LIVE && !path.startsWith(`${LIVE}/`)) return undefined
    return (await this.#refusal(visit)) ?? this.#live.answer(visit, path.slice(LIVE.length))
  }

  /** Answers why a request would be let in or refused: as text where the client prefers it, else as data. */
  async explain(visit: Visit, explain: () => Promise<Explanation>): Promise<Answer> {
    const refusal = await this.#refusal(visit)
    if (refusal !== undefined) return refusal
    const explanation = await explain()
    return visit.header('accept')?.startsWith('text/plain') === true
      ? text(200, explanation.toString())
      : json(200, explanation)
  }

  // Only failures count: who has the token is never held up by itself, and nobody tries a thousand at once.
  async #refusal({ ip, header }: Visit): Promise<Answer | undefined> {
    const tried = await this.#door.consume(ip === undefined ? { custom: 'unknown' } : { ip })
    if (!tried.allowed)
      return text(429, 'Too many wrong tokens.', { 'Retry-After': String(tried.retryAfter) })
    const admitted = this.#pass.admits(header('authorization'))
    if (admitted) await this.#door.settle(tried, 0)
    await this.#door.release(tried)
    return admitted
      ? undefined
      : text(401, 'Who are you?', { 'WWW-Authenticate': 'Basic realm="Halt", charset="UTF-8"' })
  }
}
