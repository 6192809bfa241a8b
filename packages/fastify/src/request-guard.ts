import type { Limiter } from '@halt/core'
import {
  departureOf,
  watchResponse,
  guard,
  type Guard,
  type Outcome,
  trustProxyNotice,
} from '@halt/core/http'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { callOnLimited } from './on-limited.ts'
import { LimitedError } from './limited-error.ts'
import type { RefusalOptions, RequestGuardOptions } from './options.ts'
import { sendRefusal, setHeaders } from './reply.ts'
import { FastifyView } from './view.ts'

/** Passes a request on, or fails it with an error. */
export type Done = (error?: Error) => void

/** One step of a request: it passes the request on, or answers it. */
export interface Step {
  enter(request: FastifyRequest, reply: FastifyReply, done: Done): void
}

/** Decides requests by one guard, and answers the requests that the guard refuses. */
export class RequestGuard implements Step {
  readonly #guard: Guard<FastifyRequest, FastifyReply>
  readonly #refusalOptions: RefusalOptions
  readonly #noticeTrustProxy: (request: FastifyRequest) => void

  /**
   * @param also policies that are decided in the same check as the policies of the options or the limiter
   * @throws HaltError when an option or a policy is wrong
   */
  constructor(
    limiter: Limiter<FastifyRequest>,
    options: RequestGuardOptions,
    also?: RequestGuardOptions['policy'],
  ) {
    const { onLimited, throwOnLimited, ...rest } = options
    this.#guard = guard<FastifyRequest, FastifyReply>(limiter, rest, also)
    this.#refusalOptions = { onLimited, throwOnLimited }
    // Fastify does not show trustProxy in initialConfig. Requests have `ips` only if it is set.
    this.#noticeTrustProxy = trustProxyNotice(
      limiter,
      'Fastify has trustProxy set',
      request => 'ips' in request,
    )
  }

  /** Decides a request, synchronously if the store is synchronous. */
  enter(request: FastifyRequest, reply: FastifyReply, done: Done): void {
    this.#noticeTrustProxy(request)
    const departure = this.#guard.delays ? departureOf(reply.raw) : undefined
    const outcome = this.#guard.enter(new FastifyView(request), request.raw, departure)
    if ('then' in outcome) {
      void outcome.then(found => this.#conclude(found, request, reply, done), done)
    } else this.#conclude(outcome, request, reply, done)
  }

  #conclude(outcome: Outcome, request: FastifyRequest, reply: FastifyReply, done: Done): void {
    setHeaders(reply, outcome)
    if (!outcome.pass) return this.#refuse(outcome, request, reply, done)
    if (outcome.charged && this.#guard.needsResponse) watchResponse(this.#guard, outcome, reply.raw, reply)
    done()
  }

  #refuse(outcome: Outcome, request: FastifyRequest, reply: FastifyReply, done: Done): void {
    const { onLimited, throwOnLimited } = this.#refusalOptions
    const { decision } = outcome
    // The client left while the request was held.
    if (decision === undefined) return sendRefusal(reply, outcome)
    if (throwOnLimited === true) return done(new LimitedError(outcome))
    if (onLimited === undefined) return sendRefusal(reply, outcome)
    callOnLimited(onLimited, this.#guard.limiter, outcome, decision, { request, reply })
  }
}
