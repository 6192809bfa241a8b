import type { Decision, RateLimiter } from '@halt/core'
import { callUser, guard, type Guard, type Outcome, unlessAnswered } from '@halt/core/http'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { settleOnEnd } from './ending.ts'
import { LimitedError } from './limited-error.ts'
import type { GateOptions, Manners } from './options.ts'
import { isSent, sendRefusal, setHeaders } from './reply.ts'
import { noticeTrustProxy } from './trust-proxy.ts'
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
  #isFirst = true

  /**
   * @param also policies decided in the same step as those of the options or the limiter
   * @throws HaltError when an option or a policy is wrong
   */
  constructor(limiter: RateLimiter<FastifyRequest>, options: GateOptions, also?: GateOptions['policy']) {
    const { onLimited, throwOnLimited, ...rest } = options
    this.#guard = guard<FastifyRequest, FastifyReply>(limiter, rest, also)
    this.#manners = { onLimited, throwOnLimited }
  }

  /** Decides a request: at once where the store does. */
  enter(request: FastifyRequest, reply: FastifyReply, done: Done): void {
    if (this.#isFirst) {
      this.#isFirst = false
      noticeTrustProxy(request, this.#guard.limiter)
    }
    const outcome = this.#guard.enter(new FastifyView(request), request.raw)
    if (outcome instanceof Promise) {
      void outcome.then(found => this.#conclude(found, request, reply, done), done)
    } else this.#conclude(outcome, request, reply, done)
  }

  #conclude(outcome: Outcome, request: FastifyRequest, reply: FastifyReply, done: Done): void {
    const { decision } = outcome
    if (decision === undefined) return done()
    if (outcome.binding || request.halt === undefined) request.halt = decision
    setHeaders(reply, outcome.headers)
    if (!outcome.pass) return this.#refuse(outcome, decision, request, reply, done)
    if (outcome.charged && this.#guard.watches) settleOnEnd(reply, this.#guard, outcome)
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
    void reply.code(outcome.status)
    let isHandled = false
    const call = (): unknown => {
      const value = onLimited(decision, { request, reply })
      // A reply is a promise of being sent, which may take longer than a callback may.
      isHandled = value === reply
      return isHandled ? undefined : value
    }
    const finish = (result: { failed: true } | { failed: false; value: unknown }): void => {
      if (result.failed) sendRefusal(reply, outcome)
      else if (result.value !== undefined && !isSent(reply)) void reply.send(result.value)
      else if (!isHandled)
        unlessAnswered(
          this.#guard.limiter,
          () => isSent(reply) || reply.raw.closed,
          () => sendRefusal(reply, outcome),
        )
    }
    const answered = callUser(
      this.#guard.limiter,
      'onLimited',
      'Such a request gets the default answer.',
      call,
    )
    if (answered instanceof Promise) void answered.then(finish)
    else finish(answered)
  }
}
