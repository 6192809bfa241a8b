import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Decision } from '@halt/core'
import {
  fromCaller,
  watchResponse,
  type AdapterOptions,
  runCallback,
  checkGuardOptions,
  departureOf,
  guard,
  type GuardOptions,
  guardOptionsOf,
  limiterOf,
  LIMITER_OPTIONS,
  type RequestView,
  toView,
  answerIfUnanswered,
} from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'

import { answer, show } from './response.ts'

declare module 'node:http' {
  interface IncomingMessage {
    /** The binding decision of the guards that this request has passed; undefined where none counted it. */
    halt?: Decision | undefined
  }
}

/** The second argument of `onLimited`. */
export interface LimitedContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** Options of {@link halt}: a limiter, or any of its options, beside those that all adapters share. */
export type HaltOptions = AdapterOptions<IncomingMessage, ServerResponse> & {
  /** Answers a refused request instead of the default body. The headers and the status are set already. */
  readonly onLimited?: ((decision: Decision, context: LimitedContext) => unknown) | undefined
}

/**
 * Counts a request. Resolves to true if the handler may answer it, and to false if it was refused and answered.
 *
 * @param route the pattern of the matched route, where a policy has `scope: "route"`
 */
export type Guarding = (
  req: IncomingMessage,
  res: ServerResponse,
  route?: RequestView['route'],
) => Promise<boolean>

const OWN_OPTIONS: readonly string[] = [...LIMITER_OPTIONS, 'limiter', 'onLimited']

/**
 * Makes a function that counts requests and answers those over the limit with 429.
 *
 * @throws HaltError when an option is wrong
 * @example
 * const limit = halt({ policy: presets.PUBLIC_API })
 * createServer(async (req, res) => {
 *   if (await limit(req, res)) res.end('hello')
 * })
 */
export function halt(options: HaltOptions): Guarding {
  // The stack of a mistake begins with the line that calls halt().
  const gate = fromCaller(halt, () => {
    checkGuardOptions(options as GuardOptions, OWN_OPTIONS)
    const limiter = limiterOf<IncomingMessage>(options, () => new InMemoryStore())
    return guard<IncomingMessage, ServerResponse>(limiter, guardOptionsOf(options))
  })
  const { onLimited } = options

  return async (req, res, route) => {
    // Tells a guard that holds requests when the client has left.
    const departure = gate.delays ? departureOf(res) : undefined
    const outcome = await gate.enter({ ...toView(req), route }, req, departure)
    show(outcome, req, res)
    if (outcome.pass) {
      // Tells the guard when the response is decided and when it has ended: chargeWhen, requests in flight.
      if (gate.needsResponse) watchResponse(gate, outcome, res, res)
      return true
    }
    const { decision } = outcome
    if (onLimited === undefined || decision === undefined || res.headersSent) {
      answer(outcome, res)
      return false
    }
    res.statusCode = outcome.status
    const warning = 'Such a request gets the default answer.'
    const custom = (): unknown => onLimited(decision, { req, res })
    const { failed } = await runCallback(gate.limiter, 'onLimited', warning, custom)
    if (failed) answer(outcome, res)
    else
      answerIfUnanswered(
        gate.limiter,
        () => res.headersSent,
        () => answer(outcome, res),
      )
    return false
  }
}
