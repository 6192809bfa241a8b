import type { Decision } from '@halt/core'
import { type Outcome, refusalFor } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { passageAt, placeOf } from './passage.ts'
import { refusalException } from './exception.ts'
import { setHeaders } from './response.ts'

/** A platform's response: Express's knows its request as `req`, Fastify's as `request`. */
interface Answerable {
  readonly req?: object
  readonly request?: object
}

/**
 * Refuses a request as the guard would have: sets the headers and throws the exception, for a handler that decides by
 * itself.
 *
 * @param target the response (`@Res({ passthrough: true })`), or in enhancers the `ExecutionContext`
 * @example
 * const decision = await limiter.check(request, { cost: 10 })
 * if (!decision.allowed) sendLimited(response, decision)
 */
export function sendLimited(target: ExecutionContext | object, decision: Decision): never {
  const context = 'getArgs' in target ? (target as ExecutionContext) : undefined
  const { req, request } = target as Answerable
  const place = context === undefined ? (req ?? request) : placeOf(context)
  const { headers, status, body }: Outcome =
    passageAt(place)?.gate?.refuse(decision) ?? refusalFor(place ?? {}, decision)
  const isProblem = body?.type.startsWith('application/problem') === true
  const response =
    context === undefined
      ? target
      : context.getType() === 'http'
        ? context.getArgByIndex<object>(1)
        : undefined
  if (response !== undefined)
    setHeaders(response, isProblem ? { ...headers, 'Content-Type': body.type } : headers)
  throw refusalException(context, decision, {
    errorFormat: isProblem ? 'problem' : 'json',
    statusCode: status,
  })
}
