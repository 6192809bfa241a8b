import type { RateLimiter, Reservation } from '@halt/core'
import { headerWriter } from '@halt/core/http'
import * as graphql from 'graphql'
import { type ComplexityEstimator, getComplexity } from 'graphql-query-complexity'
import type { IncomingMessage, ServerResponse } from 'node:http'

const MOST = 100 // the objects in a list without `first`, which your resolvers must respect

// One unit for each object that a field may give, nothing for a scalar. A description of the schema is short, whatever it asks.
const objects: ComplexityEstimator = ({ field, args, childComplexity }) => {
  const type = graphql.getNamedType(field.type)
  if (!graphql.isCompositeType(type) || graphql.isIntrospectionType(type)) return 0
  const isList = graphql.isListType(graphql.getNullableType(field.type))
  // A negative number must not make the rest of the query cheaper.
  const count = isList ? Math.max(1, args['first'] ?? MOST) : 1
  return count * (1 + childComplexity)
}

export interface Operation {
  readonly schema: graphql.GraphQLSchema
  readonly query: graphql.DocumentNode
  readonly operationName?: string
  readonly variables?: Record<string, unknown>
}

/** The objects in an answer, at least 1. */
export function objectsIn(data: unknown): number {
  return Math.max(1, count(data) - 1) // the data itself is not one
}

function count(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inside = Object.values(value).reduce<number>((sum, each) => sum + count(each), 0)
  return Array.isArray(value) ? inside : 1 + inside
}

/**
 * Charges the most that an operation may cost.
 *
 * @throws GraphQLError if the client may not run it now
 */
export async function reserve(
  limiter: RateLimiter<IncomingMessage>,
  { req, res }: { readonly req: IncomingMessage; readonly res: ServerResponse },
  operation: Operation,
): Promise<Reservation> {
  const cost = Math.max(1, getComplexity({ ...operation, estimators: [objects] }))
  const reservation = await limiter.reserve(req, { cost })
  const { decision } = reservation
  const headers = headerWriter('standard', limiter)(decision)
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  if (decision.allowed) return reservation

  const { reason, retryAfter, limit } = decision
  if (reason === 'cost-exceeds-limit')
    throw new graphql.GraphQLError(`The query may give ${cost} objects. At most ${limit} are allowed.`, {
      extensions: { code: 'QUERY_TOO_EXPENSIVE', cost, http: { status: 400 } },
    })
  throw new graphql.GraphQLError(`Too many objects. Retry after ${retryAfter} s.`, {
    extensions: { code: 'RATE_LIMITED', cost, retryAfter, http: { status: 429 } },
  })
}
