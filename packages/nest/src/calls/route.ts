import { matchedRoute, type RequestView } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { isList, PATH, VERSION } from '../base/nest-metadata.ts'
import { handlerName } from './call.ts'
import type { PlatformRequest } from './platform-request.ts'

/**
 * The route of an HTTP call: the pattern that matched, the global prefix included. A handler with several paths or versions
 * is one route, `Class.handler`.
 */
export function routeOf(request: PlatformRequest, context: ExecutionContext): RequestView['route'] {
  const matched = matchedRoute(request)
  if (matched === undefined || !hasSeveral(context)) return matched
  const pattern = handlerName(context)
  return typeof matched === 'string' ? pattern : { pattern, method: matched.method }
}

function hasSeveral(context: ExecutionContext): boolean {
  return [context.getClass(), context.getHandler()].some(
    holder => isList(holder, PATH) || isList(holder, VERSION),
  )
}
