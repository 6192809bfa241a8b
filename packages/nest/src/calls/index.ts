import type { RateLimiter } from '@halt/core'
import { messageOf, toView } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { type Call, handlerName } from './call.ts'
import { graphqlCall } from './graphql.ts'
import { HttpView } from './http-view.ts'
import type { PlatformRequest } from './platform-request.ts'
import { rpcCall } from './rpc.ts'
import { wsCall } from './ws.ts'

/** Sees a call as Halt does. */
export type CallReader = (context: ExecutionContext) => Call

/** Makes the reader of calls. @param getRequest the application's own way, for transports that Halt does not know */
export function callReader(
  limiter: RateLimiter,
  getRequest?: (context: ExecutionContext) => unknown,
): CallReader {
  if (getRequest === undefined) return known
  return context => {
    const call = known(context)
    try {
      const request = getRequest(context)
      if (request === undefined) return call
      return { ...call, view: { ...toView(request), route: call.view.route, context } }
    } catch (error) {
      const fix = 'Return undefined for calls that Halt knows; such a call is seen as without getRequest.'
      limiter.warn({ code: 'HALT_W_CALLBACK', message: `getRequest threw: ${messageOf(error)}.`, fix })
      return call
    }
  }
}

function known(context: ExecutionContext): Call {
  switch (context.getType<string>()) {
    case 'http': {
      const request = context.getArgByIndex<PlatformRequest>(0)
      // The raw one of Fastify's: what its own adapter knows a request by.
      return {
        view: new HttpView(request, context),
        httpRequest: request.raw ?? request,
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

// Its arguments may be what the sender says of itself: nothing in them is taken for an address or a user.
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
