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

const DOOR = { name: 'door', limit: 10, window: '1m' } as const
const ALL_DOORS = { name: 'all_doors', limit: 100, window: '1m', keyStrategy: 'shared' } as const

/**
 * What an operator may see of an app: the live page, metrics, and why a request would be refused. Only with the token. More than
 * ten wrong tokens a minute from one address, or a hundred from all, are answered 429; the right token is always let in.
 */
export class Operator {
  readonly #pass: Pass
  readonly #live: Live
  readonly #metrics = new Metrics()
  /** For all limiters that are to be seen. */
  readonly telemetry: Telemetry
  // Its own: a full store keeps nobody out, and who is kept out fills no store.
  readonly #door = new RateLimiter({
    store: new InMemoryStore({ maxKeys: 10_000 }),
    policy: [DOOR, ALL_DOORS],
  })

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

  // Only wrong tokens count, so that nobody who shares an address with the operator can lock the operator out. Its length
  // protects the token against guesses; the limit keeps the noise down.
  async #refusal({ ip, header }: Visit): Promise<Answer | undefined> {
    const authorization = header('authorization')
    if (this.#pass.admits(authorization)) return undefined
    // A browser comes without a token first, and has to be asked for it.
    const tried =
      authorization === undefined
        ? undefined
        : await this.#door.consume(ip === undefined ? { custom: 'unknown' } : { ip })
    return tried === undefined || tried.allowed
      ? text(401, 'Who are you?', { 'WWW-Authenticate': 'Basic realm="Halt", charset="UTF-8"' })
      : text(429, 'Too many wrong tokens.', { 'Retry-After': String(tried.retryAfter) })
  }
}
