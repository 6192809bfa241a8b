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
 * The operator's pages of an app: the live page, metrics, and why a request would be refused. They need the token. More than
 * ten wrong tokens per minute from one address, or a hundred from all, get 429; the right token always works.
 */
export class Operator {
  readonly #pass: Pass
  readonly #live: Live
  readonly #metrics = new Metrics()
  /** The telemetry for all limiters that the pages should show. */
  readonly telemetry: Telemetry
  // A store of its own: wrong tokens cannot fill the app's store, and a full app store does not lock the operator out.
  readonly #door = new RateLimiter({
    store: new InMemoryStore({ maxKeys: 10_000 }),
    policy: [DOOR, ALL_DOORS],
  })

  /** @throws Error if the token is too short */
  constructor(token: string, store: RateLimiterOptions['store']) {
    this.#pass = new Pass(token)
    this.#live = new Live(store)
    this.telemetry = new CompositeTelemetry(this.#live.recorder, this.#metrics.telemetry)
  }

  /** The operator of an app, if there is a token: `HALT_OPERATOR_TOKEN`. */
  static from(token: string | undefined, store: RateLimiterOptions['store']): Operator | undefined {
    return token === undefined || token === '' ? undefined : new Operator(token, store)
  }

  /** Answers requests for the live page and the metrics; undefined for other paths. */
  async pages(visit: Visit): Promise<Answer | undefined> {
    const path = visit.url.split('?', 1)[0] ?? ''
    if (path === METRICS) return (await this.#refusal(visit)) ?? this.#metrics.answer()
    if (path !== LIVE && !path.startsWith(`${LIVE}/`)) return undefined
    return (await this.#refusal(visit)) ?? this.#live.answer(visit, path.slice(LIVE.length))
  }

  /** Explains why a request would be allowed or refused: as text if the client prefers it, else as JSON. */
  async explain(visit: Visit, explain: () => Promise<Explanation>): Promise<Answer> {
    const refusal = await this.#refusal(visit)
    if (refusal !== undefined) return refusal
    const explanation = await explain()
    return visit.header('accept')?.startsWith('text/plain') === true
      ? text(200, explanation.toString())
      : json(200, explanation)
  }

  // Only wrong tokens count, so that a client at the operator's address cannot lock the operator out. The token is too
  // long to guess; the limit only reduces the noise.
  async #refusal({ ip, header }: Visit): Promise<Answer | undefined> {
    const authorization = header('authorization')
    if (this.#pass.admits(authorization)) return undefined
    // A browser first sends no token, and must be asked for it.
    const tried =
      authorization === undefined
        ? undefined
        : await this.#door.consume(ip === undefined ? { custom: 'unknown' } : { ip })
    return tried === undefined || tried.allowed
      ? text(401, 'Who are you?', { 'WWW-Authenticate': 'Basic realm="Halt", charset="UTF-8"' })
      : text(429, 'Too many wrong tokens.', { 'Retry-After': String(tried.retryAfter) })
  }
}
