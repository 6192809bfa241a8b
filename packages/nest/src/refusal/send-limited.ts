import type { Decision } from '@halt/core'
import { type Outcome, refusalFor } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { callStateOf } from '../calls/call-state.ts'
import { refusalException } from './exception.ts'
import { setHeader, showHeaders } from './response.ts'

/** The response of a platform. Express stores its request as `req`, Fastify as `request`. */
interface Answerable {
  readonly req?: object
  readonly request?: { readonly raw?: object }
}

/**
 * Refuses a request as its guard would have done, for a handler that decides by itself. It sets the headers and throws the
 * exception.
 *
 * @param target the response (`@Res({ passthrough: true })`), or the `ExecutionContext` in enhancers
 * @example
 * const decision = await limiter.check(request, { cost: 10 })
 * if (!decision.allowed) sendLimited(response, decision)
 */
export function sendLimited(target: ExecutionContext | object, decision: Decision): never {
  const context = 'getArgs' in target ? (target as ExecutionContext) : undefined
  const isHttp = context === undefined || context.getType() === 'http'
  const response = isHttp ? (context?.getArgByIndex<object>(1) ?? target) : undefined
  const guard = context && callStateOf(context)?.guard
  const outcome: Outcome =
    guard?.refuse(decision) ?? refusalFor(response === undefined ? {} : requestOf(response), decision)
  const { status, body } = outcome
  const isProblem = body?.type.startsWith('application/problem') === true
  if (response !== undefined) {
    showHeaders(response, outcome)
    if (isProblem) setHeader(response, 'Content-Type', body.type)
  }
  throw refusalException(context, decision, {
    errorFormat: isProblem ? 'problem' : body?.data['reason'] === undefined ? 'json' : 'detailed',
    statusCode: status,
  })
}

function requestOf(response: object): object {
  const { req, request } = response as Answerable
  return req ?? request?.raw ?? request ?? {}
}
