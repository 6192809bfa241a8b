import type { Decision } from '@halt/core'
import { type ErrorFormat, isUnavailable, refusalBody, statusOf } from '@halt/core/http'
import { type ExecutionContext, HttpException } from '@nestjs/common'

import { isGrpc } from '../calls/rpc.ts'
import { transportException } from './transports.ts'

/** Format and status of a refusal. */
export interface RefusalStyle {
  readonly errorFormat?: ErrorFormat | undefined
  readonly statusCode?: number | undefined
}

/**
 * The exception of a refused HTTP request or GraphQL field. Its status is 429, or 503 if the limiter failed, not the client, or 402 if a
 * budget is used up that says so.
 * `getResponse()` is the body.
 *
 * A refused WebSocket message throws a `WsException`, a refused microservice call an `RpcException`, both with the same body.
 * All of them have `decision`.
 */
export class RateLimitException extends HttpException {
  readonly decision: Decision
  /** GraphQL drivers copy this to the `extensions` of the error. */
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(decision: Decision, { errorFormat = 'json', statusCode = 429 }: RefusalStyle = {}) {
    const ours = isUnavailable(decision)
    const status = statusOf(decision, statusCode)
    const { data } = refusalBody(decision, errorFormat, status)
    super({ ...data }, status)
    this.message = String(data['message'] ?? data['detail'])
    this.decision = decision
    this.extensions = {
      code: ours ? 'SERVICE_UNAVAILABLE' : status === 402 ? 'PAYMENT_REQUIRED' : 'TOO_MANY_REQUESTS',
      ...data,
    }
  }
}

/** Makes the exception of a refused call, as its transport expects it. @param context undefined for HTTP */
export function refusalException(
  context: ExecutionContext | undefined,
  decision: Decision,
  style: RefusalStyle,
): Error {
  const exception = new RateLimitException(decision, style)
  const type = context?.getType<string>()
  if (context === undefined || (type !== 'ws' && type !== 'rpc')) return exception
  const body = exception.getResponse() as Record<string, unknown>
  // The status codes of gRPC: 8 is RESOURCE_EXHAUSTED, 14 is UNAVAILABLE.
  const grpc = type === 'rpc' && isGrpc(context) ? { code: exception.getStatus() === 503 ? 14 : 8 } : {}
  return Object.assign(transportException(type, { ...body, ...grpc }), { decision })
}

/** True if an error is an exception of Nest, which exception filters should see. */
export function isException(error: unknown): boolean {
  const shape = error as { getStatus?: unknown; getError?: unknown } | null | undefined
  return typeof shape?.getStatus === 'function' || typeof shape?.getError === 'function'
}
