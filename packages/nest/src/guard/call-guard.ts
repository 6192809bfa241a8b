import { watchResponse, type Guard, type Outcome, trustProxyNotice } from '@halt/core/http'
import { type ExecutionContext, HttpException } from '@nestjs/common'

import { type Call, noteDecision } from '../calls/call.ts'
import { type PlatformRequest, trustsProxies } from '../calls/platform-request.ts'
import { refusalException } from '../refusal/exception.ts'
import type { HandledCall, HandlerResult } from '../options/options.ts'
import { callOnLimited } from '../refusal/on-limited.ts'
import { beginCall, type CallState } from '../calls/call-state.ts'
import { departureFrom, isTightest, rawOf, setHeader, showHeaders } from '../refusal/response.ts'
import { LateUserCheck } from './late-user-check.ts'
import type { Runtime } from './runtime.ts'

/** Decides the calls of an application, on every transport. */
export class CallGuard {
  readonly #runtime: Runtime
  readonly #noticeProxies: (request: object) => void
  readonly #lateUsers: LateUserCheck

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    this.#lateUsers = new LateUserCheck(runtime)
    const isSet = (request: object): boolean => trustsProxies(request as PlatformRequest)
    this.#noticeProxies = trustProxyNotice(runtime.limiter, 'The platform is told to trust proxies', isSet)
  }

  /** Passes a call on, or throws its refusal. Decides each call once, although several guards may ask. */
  enter(context: ExecutionContext): true | Promise<true> {
    const state = beginCall(context)
    if (state === undefined) {
      this.#lateUsers.look(context)
      return true
    }
    const call = this.#runtime.read(context)
    const guard = this.#runtime.handlerGuards.guardOf(context, call.nested === true)
    if (guard === undefined) return true
    state.guard = guard
    if (call.httpRequest !== undefined) this.#noticeProxies(call.view.request as object)
    const departure = guard.delays ? departureFrom(call.response) : undefined
    const outcome = guard.enter(call.view, call.httpRequest, departure)
    const conclude = (found: Outcome): true | Promise<true> => {
      showDecision(found, call, context)
      if (!found.pass) return this.#refuse(found, call, context)
      if (guard.needsResponse) watchEnd(state, guard, found, call, context)
      return true
    }
    return 'then' in outcome ? outcome.then(conclude) : conclude(outcome)
  }

  #refuse(
    { decision, body, status }: Outcome,
    { response }: Call,
    context: ExecutionContext,
  ): Promise<true> | never {
    const { onLimited, errorFormat, statusCode } = this.#runtime.options
    const { limiter } = this.#runtime
    // The client left while the request was held, so nobody reads the answer.
    if (decision === undefined) throw new HttpException('Client Closed Request', status)
    const exception = (): Error => {
      // The exception filter of Nest answers as JSON, so set the media type of problem details here.
      if (errorFormat === 'problem' && response !== undefined && context.getType() === 'http') {
        setHeader(response, 'Content-Type', body?.type ?? '')
      }
      return refusalException(context, decision, { errorFormat, statusCode })
    }
    if (onLimited === undefined) throw exception()
    return callOnLimited(limiter, () => onLimited(decision, context), {
      status,
      response,
      byDefault: exception,
    })
  }
}

function showDecision(outcome: Outcome, { httpRequest, response }: Call, context: ExecutionContext): void {
  const { binding, decision } = outcome
  if (!binding || decision === undefined) return
  noteDecision(context, decision)
  // The core finds the tightest guard of an HTTP request. GraphQL fields that share a response are compared here.
  if (response !== undefined && (httpRequest !== undefined || isTightest(response, decision)))
    showHeaders(response, outcome)
}

// HaltInterceptor reports the end of a call that has no response of its own.
function watchEnd(
  state: CallState,
  guard: Guard<unknown, HandledCall>,
  outcome: Outcome,
  call: Call,
  context: ExecutionContext,
): void {
  const { httpRequest, response } = call
  if (httpRequest !== undefined && response !== undefined) {
    const result = response as HandlerResult
    return watchResponse(guard, outcome, rawOf(response), { result, context })
  }
  state.endListener = {
    decided: result => guard.decided(outcome, { result, context }),
    leave: () => guard.leave(outcome),
  }
}
