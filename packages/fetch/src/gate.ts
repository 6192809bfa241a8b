import {
  type AbortSignalLike,
  callAtOnce,
  departureOf,
  type FetchExchange,
  type Guard,
  type Outcome,
  runCallback,
  watchFetch,
} from '@halt/core/http'

import type { Checked } from './checked.ts'
import type { FetchCall } from './handler-arguments.ts'
import { nodeResponseOf } from './node-bridge.ts'
import type { HaltOptions } from './options.ts'
import type { AddressSource } from './platforms.ts'
import { isResponse, refusalResponse, withOutcome } from './response.ts'
import { FetchView } from './view.ts'

/** The argument of `chargeWhen` in the guard. */
export interface AnsweredCall extends FetchCall {
  readonly response: Response
}

/** The steps of one request: enter, then accompany the handler or refuse. */
export class Gate<R extends Request, C> {
  readonly #guard: Guard<R, AnsweredCall>
  readonly #source: AddressSource
  readonly #route: HaltOptions<R, C>['route']
  readonly #onLimited: HaltOptions<R, C>['onLimited']

  constructor(
    guard: Guard<R, AnsweredCall>,
    source: AddressSource,
    route: HaltOptions<R, C>['route'],
    onLimited: HaltOptions<R, C>['onLimited'],
  ) {
    this.#guard = guard
    this.#source = source
    this.#route = route
    this.#onLimited = onLimited
  }

  /** Decides a request. */
  enter(call: FetchCall): Outcome | Promise<Outcome> {
    const { request, context } = call
    const { warn } = this.#guard.limiter
    const view = new FetchView(request, context, this.#source, this.#routeOf(call), warn)
    return this.#guard.enter(view, request, this.#guard.delays ? departureFrom(call) : undefined)
  }

  /** Runs the handler of an admitted request, and gives its response the headers. */
  async accompany<T>(outcome: Outcome, call: FetchCall, handler: () => T): Promise<Awaited<T> | Response> {
    const exchange = this.#watch(outcome, call)
    const complete = (response: Response): Response =>
      withOutcome(exchange?.answered(response) ?? response, outcome, call.request)
    let answer: Awaited<T>
    try {
      answer = await handler()
    } catch (error) {
      // Some frameworks let a handler throw its response.
      if (isResponse(error)) throw complete(error)
      exchange?.failed()
      throw error
    }
    if (isResponse(answer)) return complete(answer)
    // The framework makes the response, or there is no response, as after an upgrade to a WebSocket.
    exchange?.answered(undefined)
    return answer
  }

  /** Makes the answer to a refused request. */
  async refuse(outcome: Outcome, { request, context }: FetchCall): Promise<Response> {
    const { decision, status } = outcome
    const onLimited = this.#onLimited
    if (onLimited === undefined || decision === undefined) return refusalResponse(outcome)
    const custom = async (): Promise<Response> => {
      const answer = await onLimited(decision, { request: request as R, context: context as C, status })
      if (!isResponse(answer)) throw new TypeError('it returned no Response')
      // A body can be sent once, and `onLimited` may answer all by one constant response.
      return withOutcome(answer.clone(), outcome, request)
    }
    const fix = 'Return a Response. Such a request gets the default answer.'
    const answered = await runCallback(this.#guard.limiter, 'onLimited', fix, custom)
    return answered.failed ? refusalResponse(outcome) : answered.value
  }

  /** Makes the result of `limit.check`. */
  async check(outcome: Outcome, call: FetchCall): Promise<Checked> {
    const { headers, decision, pass } = outcome
    const exchange = pass ? this.#watch(outcome, call) : undefined
    return {
      response: pass ? undefined : await this.refuse(outcome, call),
      headers,
      decision,
      finish: response => withOutcome(exchange?.answered(response) ?? response, outcome, call.request),
    }
  }

  #watch(outcome: Outcome, { request, context }: FetchCall): FetchExchange | undefined {
    if (!this.#guard.needsResponse || !outcome.charged) return undefined
    const outgoing = nodeResponseOf(request, context)
    return watchFetch(this.#guard, outcome, request, outgoing, response => ({ response, request, context }))
  }

  #routeOf({ request, context }: FetchCall): FetchView['route'] {
    const route = this.#route
    if (typeof route !== 'function') return route
    const { warn } = this.#guard.limiter
    return callAtOnce(warn, 'route', () => route(request as R, context as C)) as FetchView['route']
  }
}

/** The signal that aborts when the client of a call leaves; undefined if the runtime does not tell. */
function departureFrom({ request, context }: FetchCall): AbortSignalLike | undefined {
  const outgoing = nodeResponseOf(request, context)
  return outgoing === undefined ? (request as Partial<Request>).signal : departureOf(outgoing)
}
