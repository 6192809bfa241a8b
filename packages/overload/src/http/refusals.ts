import type { Decision } from '@halt/core'
import { type RefusalBody, refusalBody } from '@halt/core/http'

/** The answer to a refused request. */
export interface Refusal {
  readonly status: 503
  readonly reason: 'overloaded'
  /** Seconds until the client should come again. */
  readonly retryAfter: number
  readonly headers: Readonly<Record<string, string>>
  /** The headers as Node takes them with the least work: names and values in turn. */
  readonly rawHeaders: readonly string[]
  readonly body: RefusalBody
}

const MOST_SECONDS = 3

/** The answers to refused requests, written once, because a refusal must be cheap. */
export class Refusals {
  readonly #all: readonly Refusal[]

  constructor(format: 'json' | 'problem') {
    this.#all = Array.from({ length: MOST_SECONDS }, (_, i) => refusal(format, i + 1))
  }

  /** One of them at random, so that the clients do not all come again at once. */
  pick(): Refusal {
    return this.#all[Math.floor(Math.random() * MOST_SECONDS)]!
  }
}

// It closes no connection: then each client would need a new one, and Node accepts only one in a turn of the loop.
function refusal(format: 'json' | 'problem', retryAfter: number): Refusal {
  // The same words as for a limiter that cannot decide: the service is at fault, and not the client.
  const decision = { reason: 'policy-error', retryAfter, verdicts: [] } as unknown as Decision
  const written = refusalBody(decision, format, 503)
  const data = { ...written.data, reason: 'overloaded' }
  const text = JSON.stringify(data)
  const headers = {
    'content-type': written.type,
    'content-length': String(text.length),
    'retry-after': String(retryAfter),
    'cache-control': 'no-store',
  }
  const rawHeaders = Object.freeze(Object.entries(headers).flat())
  return Object.freeze({
    status: 503,
    reason: 'overloaded',
    retryAfter,
    headers,
    rawHeaders,
    body: { ...written, text, data },
  })
}
