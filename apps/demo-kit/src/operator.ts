import { Control } from '@halt/control'
import { type Explanation, RateLimiter, type RateLimiterOptions, type Telemetry } from '@halt/core'
import { operator, type OperatorHandler, type Watched } from '@halt/operator'
import { InMemoryStore } from '@halt/store-memory'

import { type Answer, json, text, type Visit } from './answer.ts'
import { Metrics, METRICS } from './metrics.ts'
import { Pass } from './pass.ts'

const DOOR = { name: 'door', limit: 10, window: '1m' } as const
const ALL_DOORS = { name: 'all_doors', limit: 100, window: '1m', keyStrategy: 'shared' } as const

/** The path of the operator's page. */
export const OPERATOR = '/operator'

/** The request of a framework, as far as it tells the peer of the socket. */
type WithPeer = { readonly socket?: { readonly remoteAddress?: string | undefined } } | undefined

/**
 * The operator of an app: the page, metrics, and why a request would be refused. All need the token. More than ten wrong tokens per
 * minute from one address, or a hundred from all, get 429; the right token always works.
 */
export class Operator {
  readonly #pass: Pass
  readonly #metrics = new Metrics()
  #page: OperatorHandler<WithPeer> | undefined
  /** The telemetry of all limiters that the metrics should count. */
  readonly telemetry: Telemetry = this.#metrics.telemetry
  /** The control of all limiters. */
  readonly control: Control
  // A store of its own: wrong tokens cannot fill the app's store, and a full app store does not lock the operator out.
  readonly #door = new RateLimiter({
    store: new InMemoryStore({ maxKeys: 10_000 }),
    policy: [DOOR, ALL_DOORS],
  })

  /** @throws Error if the token is too short */
  constructor(token: string, store: RateLimiterOptions['store']) {
    this.#pass = new Pass(token)
    this.control = new Control({ store })
  }

  /** The operator of an app, if there is a token: `HALT_OPERATOR_TOKEN`. */
  static from(token: string | undefined, store: RateLimiterOptions['store']): Operator | undefined {
    return token === undefined || token === '' ? undefined : new Operator(token, store)
  }

  /** The page about some limiters. The app mounts it at `/operator`. */
  page(limiters: readonly Watched[]): OperatorHandler<WithPeer> {
    return (this.#page = operator<WithPeer>({
      limiters,
      control: this.control,
      reveal: true,
      authorize: async ({ headers }, peer) => {
        const authorization = headers.get('authorization') ?? undefined
        const refusal = await this.#refusal(authorization, peer?.socket?.remoteAddress)
        return refusal === undefined ? this.#pass.nameIn(authorization) : responseOf(refusal)
      },
    }))
  }

  /** Answers requests for the metrics; undefined for other paths. */
  async metrics(visit: Visit): Promise<Answer | undefined> {
    if (visit.url.split('?', 1)[0] !== METRICS) return undefined
    return (await this.#refuse(visit)) ?? this.#metrics.answer()
  }

  /** Explains why a request would be allowed or refused: as text if the client prefers it, else as JSON. */
  async explain(visit: Visit, explain: () => Promise<Explanation>): Promise<Answer> {
    const refusal = await this.#refuse(visit)
    if (refusal !== undefined) return refusal
    const explanation = await explain()
    return visit.header('accept')?.startsWith('text/plain') === true
      ? text(200, explanation.toString())
      : json(200, explanation)
  }

  /** Stops looking at the store. */
  close(): void {
    this.#page?.close()
    this.control.close()
  }

  #refuse({ ip, header }: Visit): Promise<Answer | undefined> {
    return this.#refusal(header('authorization'), ip)
  }

  // Only wrong tokens count, so that a client at the operator's address cannot lock the operator out. The token is too
  // long to guess; the limit only reduces the noise.
  async #refusal(authorization: string | undefined, ip: string | undefined): Promise<Answer | undefined> {
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

function responseOf({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers })
}
