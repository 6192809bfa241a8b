import type { Decision } from '@halt/core'
import { watchResponse, type Guard, type Outcome, trustProxyNotice } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { type Call, noteDecision } from './calls/call.ts'
import { type PlatformRequest, trustsProxies } from './calls/http.ts'
import { refusalException } from './exception.ts'
import type { Ending, HandlerResult } from './options.ts'
import { askOnLimited } from './on-limited.ts'
import { begin, type Passage } from './passage.ts'
import { isTightest, rawOf, setHeaders } from './response.ts'
import type { Runtime } from './runtime.ts'

/** Decides the calls of an application. */
export class Admission {
  readonly #runtime: Runtime
  readonly #noticeProxies: (request: object) => void

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    const isSet = (request: object): boolean => trustsProxies(request as PlatformRequest)
    this.#noticeProxies = trustProxyNotice(runtime.limiter, 'The platform is told to trust proxies', isSet)
  }

  /** Lets a call in, or throws its refusal. Decides each call once, however many guards ask. */
  admit(context: ExecutionContext): true | Promise<true> {
    const passage = begin(context)
    if (passage === undefined) return true
    const call = this.#runtime.read(context)
    const gate = this.#runtime.planner.planOf(context, call.nested === true)
    if (gate === undefined) return true
    passage.gate = gate
    if (call.visitor !== undefined) this.#noticeProxies(call.view.request as object)
    const outcome = gate.enter(call.view, call.visitor)
    const conclude = (found: Outcome): true | Promise<true> => {
      show(found, call, context)
      if (!found.pass) return this.#refuse(found, call, context)
      if (gate.needsResponse) watch(passage, gate, found, call, context)
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
    const refused = decision as Decision
    const exception = (): Error => {
      // The exception filter answers, and knows no media type but JSON.
      if (errorFormat === 'problem' && response !== undefined && context.getType() === 'http') {
        setHeaders(response, { 'Content-Type': body?.type ?? '' })
      }
      return refusalException(context, refused, { errorFormat, statusCode })
    }
    if (onLimited === undefined) throw exception()
    return askOnLimited(limiter, () => onLimited(refused, context), {
      status,
      response,
      byDefault: exception,
    })
  }
}

function show(
  { binding, decision, headers, stale }: Outcome,
  { visitor, response }: Call,
  context: ExecutionContext,
): void {
  if (!binding || decision === undefined) return
  noteDecision(context, decision)
  // A request's guards know by the request which is the tightest; GraphQL fields that share a response do not.
  if (response !== undefined && (visitor !== undefined || isTightest(response, decision)))
    setHeaders(response, headers, stale)
}

// The interceptor tells when a call without a response of its own ends.
function watch(
  passage: Passage,
  gate: Guard<unknown, Ending>,
  outcome: Outcome,
  call: Call,
  context: ExecutionContext,
): void {
  const { visitor, response } = call
  if (visitor !== undefined && response !== undefined) {
    const result = response as HandlerResult
    return watchResponse(gate, outcome, rawOf(response), { result, context })
  }
  passage.ending = {
    decided: result => gate.decided(outcome, { result, context }),
    leave: () => gate.leave(outcome),
  }
}
