import type { Decision } from '@halt/core'
import { decisionOf as decisionOfRequest } from '@halt/core/http'

import { type FetchEvent, readArguments } from './handler-arguments.ts'

/**
 * The binding decision of the guards that a request has passed; undefined if no guard has checked it.
 *
 * @example
 * export const GET = limit(request => Response.json({ left: decisionOf(request)?.remaining }))
 */
export function decisionOf(request: Request | FetchEvent): Decision | undefined {
  return decisionOfRequest(readArguments(request).request)
}
