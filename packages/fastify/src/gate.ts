import type { Decision, RateLimiter } from '@halt/core'
import { watchResponse, guard, type Guard, type Outcome, trustProxyNotice } from '@halt/core/http'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { answerBy } from './custom-answer.ts'
import { LimitedError } from './limited-error.ts'
import type { GateOptions, Manners } from './options.ts'
import { sendRefusal, setHeaders } from './reply.ts'
import { FastifyView } from './view.ts'

/** Goes on with a request, or fails it. */
export type Done = (error?: Error) => void

/** What may stand in a request's way. */
export interface Step {
  enter(request: FastifyRequest, reply: FastifyReply, done: Done): void
}

/** One check of requests, and how the refused are answered. */
export class Gate implements Step {
  readonly #guard: Guard<FastifyRequest, FastifyReply>
  readonly #manners: Manners
  readonly #noticeTrustProxy: (request: FastifyRequest) => void

  /**
   * @param also policies decided in the same step as those of the options or the limiter
   * @throws HaltError when an option or a policy is wrong
   */
  constructor(limiter: RateLimiter<FastifyRequest>, options: GateOptions, also?: GateOptions['policy']) {
    const { onLimited, throwOnLimited, ...rest } = options
    this.#guard = guard<FastifyRequest, FastifyReply>(limiter, rest, also)
    this.#manners = { onLimited, throwOnLimited }
    // Fastify keeps trustProxy out of initialConfig; requests have `ips` exactly when it is set.
    this.#noticeTrustProxy = trustProxyNotice(
      limiter,
      'Fastify has trustProxy set',
      request => 'ips' in request,
    )
  }

  /** Decides a request: at once where the store does. */
  enter(request: FastifyRequest, reply: FastifyReply, done: Done): void {
    this.#noticeTrustProxy(request)
    const outcome = this.#guard.enter(new FastifyView(request), request.raw)
    if ('then' in outcome) {
      void outcome.then(found => this.#conclude(found, request, reply, done), done)
    } else this.#conclude(outcome, request, reply, done)
  }

  #conclude(outcome: Outcome, request: FastifyRequest, reply: FastifyReply, done: Done): void {
    const { decision } = outcome
    if (decision === undefined) return done()
    if (outcome.binding || request.halt === undefined) request.halt = decision
    setHeaders(reply, outcome)
    if (!outcome.pass) return this.#refuse(outcome, decision, request, reply, done)
    if (outcome.charged && this.#guard.needsResponse) watchResponse(this.#guard, outcome, reply.raw, reply)
    done()
  }

  #refuse(
    outcome: Outcome,
    decision: Decision,
    request: FastifyRequest,
    reply: FastifyReply,
    done: Done,
  ): void {
    const { onLimited, throwOnLimited } = this.#manners
    if (throwOnLimited === true) return done(new LimitedError(outcome))
    if (onLimited === undefined) return sendRefusal(reply, outcome)
    answerBy(onLimited, this.#guard.limiter, outcome, decision, { request, reply })
  }
}
