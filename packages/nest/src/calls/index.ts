import type { Limiter } from '@halt/core'
import { atOnce, messageOf, toView } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { type Call, handlerName } from './call.ts'
import { graphqlCall } from './graphql.ts'
import { HttpView } from './http-view.ts'
import { type PlatformRequest, rawRequestOf } from './platform-request.ts'
import { rpcCall } from './rpc.ts'
import { wsCall } from './ws.ts'

/** Reads a call of any transport. */
export type CallReader = (context: ExecutionContext) => Call

/** Makes a reader of calls. @param getRequest the option of the application, for transports that Halt does not know */
export function callReader(
  limiter: Limiter,
  getRequest?: (context: ExecutionContext) => unknown,
): CallReader {
  if (getRequest === undefined) return known
  return context => {
    const call = known(context)
    try {
      const request = atOnce(getRequest(context))
      if (request === undefined) return call
      return { ...call, view: { ...toView(request), route: call.view.route, context } }
    } catch (error) {
      const fix =
        'Return undefined for calls that Halt knows. Such a call is counted as if getRequest were absent.'
      limiter.warn({ code: 'HALT_W_CALLBACK', message: `getRequest failed: ${messageOf(error)}.`, fix })
      return call
    }
  }
}

function known(context: ExecutionContext): Call {
  switch (context.getType<string>()) {
    case 'http': {
      const request = context.getArgByIndex<PlatformRequest>(0)
      // For Fastify take the raw request, because @halt/fastify notes its guards on it.
      return {
        view: new HttpView(request, context),
        httpRequest: rawRequestOf(request),
        response: context.getArgByIndex<object>(1),
      }
    }
    case 'graphql':
      return graphqlCall(context)
    case 'ws':
      return wsCall(context)
    case 'rpc':
      return rpcCall(context)
    default:
      return unknown(context)
  }
}

// The sender may have chosen the arguments, so take no address and no user from them.
function unknown(context: ExecutionContext): Call {
  const method = context.getType<string>().toUpperCase()
  return {
    view: {
      method,
      path: '/',
      route: handlerName(context),
      ip: undefined,
      headers: {},
      request: undefined,
      context,
    },
  }
}
