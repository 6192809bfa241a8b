import type { Decision } from '@halt/core'
import { type ErrorFormat, isUnavailable, refusalBody } from '@halt/core/http'
import { type ExecutionContext, HttpException } from '@nestjs/common'

import { isGrpc } from './calls/rpc.ts'
import { transportException } from './transports.ts'

/** How a refusal is written. */
export interface RefusalStyle {
  readonly errorFormat?: ErrorFormat | undefined
  readonly statusCode?: number | undefined
}

/**
 * The exception of a refused HTTP request or GraphQL field, as exception filters see it: 429, or 503 where not the client
 * but the limiter is at its end; `getResponse()` is the body.
 *
 * WebSocket handlers get a `WsException`, microservices an `RpcException`, with the same body; all have `decision`.
 */
export class RateLimitException extends HttpException {
  readonly decision: Decision
  /** What GraphQL drivers put into the error's `extensions`. */
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(decision: Decision, { errorFormat = 'json', statusCode = 429 }: RefusalStyle = {}) {
    const ours = isUnavailable(decision)
    const status = ours ? 503 : statusCode
    const { data } = refusalBody(decision, errorFormat, status)
    super({ ...data }, status)
    this.message = String(data['message'] ?? data['detail'])
    this.decision = decision
    this.extensions = { code: ours ? 'SERVICE_UNAVAILABLE' : 'TOO_MANY_REQUESTS', ...data }
  }
}

/** The exception that refuses a call in the way of its transport. @param context undefined for HTTP */
export function refusalException(
  context: ExecutionContext | undefined,
  decision: Decision,
  style: RefusalStyle,
): Error {
  const exception = new RateLimitException(decision, style)
  const type = context?.getType<string>()
  if (context === undefined || (type !== 'ws' && type !== 'rpc')) return exception
  const body = exception.getResponse() as Record<string, unknown>
  // gRPC's own words for the two: RESOURCE_EXHAUSTED and UNAVAILABLE.
  const grpc = type === 'rpc' && isGrpc(context) ? { code: exception.getStatus() === 503 ? 14 : 8 } : {}
  return Object.assign(transportException(type, { ...body, ...grpc }), { decision })
}

/** Whether something thrown is meant for exception filters, and no mishap. */
export function isException(error: unknown): boolean {
  const shape = error as { getStatus?: unknown; getError?: unknown } | null | undefined
  return typeof shape?.getStatus === 'function' || typeof shape?.getError === 'function'
}
