import { type HeaderBag, pathOf } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import type { Call } from './call.ts'
import { graphqlArgs } from './graphql-args.ts'
import { httpVersionOf, type PlatformRequest } from './platform-request.ts'

interface Extra {
  readonly request?: PlatformRequest
  readonly user?: unknown
}

/** The usual shapes of a GraphQL context: those of Apollo, Yoga and Mercurius, and of graphql-ws for subscriptions. */
interface GraphqlContext {
  readonly req?: PlatformRequest & { readonly extra?: Extra }
  readonly res?: object
  readonly request?: PlatformRequest
  readonly reply?: { readonly request?: PlatformRequest }
  readonly extra?: Extra
  readonly user?: unknown
}

const NO_HEADERS: HeaderBag = Object.freeze({})

/** Reads a field of a GraphQL operation. Each field is charged separately, aliased and batched ones too. */
export function graphqlCall(context: ExecutionContext): Call {
  const { info, context: found, isReference } = graphqlArgs(context.getArgs<unknown[]>())
  const graphql = (typeof found === 'object' && found !== null ? found : {}) as GraphqlContext
  // Nest's driver puts the `extra` of graphql-ws on `req`.
  const extra = graphql.extra ?? graphql.req?.extra
  const request = extra?.request ?? graphql.req ?? graphql.request ?? graphql.reply?.request
  return {
    view: {
      method: info?.operation?.operation?.toUpperCase() ?? 'QUERY',
      path: pathOf(request?.originalUrl ?? request?.url ?? '/'),
      route: info && `${info.parentType.name}.${info.fieldName}`,
      ip: request?.socket?.remoteAddress,
      headers: request?.headers ?? NO_HEADERS,
      httpVersion: request && httpVersionOf(request),
      user: (request as { user?: unknown } | undefined)?.user ?? graphql.user ?? extra?.user,
      request,
      context,
    },
    response: extra === undefined ? (graphql.res ?? graphql.req?.res ?? graphql.reply) : undefined,
    nested: !isReference && info?.path?.prev !== undefined,
  }
}
