import type { Decision } from '@halt/core'
import { RateLimitDecision } from '@halt/nest'
import { Int, Query, Resolver } from '@nestjs/graphql'

/** The GraphQL fields. Each costs as much as a request, however many a query has. */
@Resolver()
export class QuotesResolver {
  /** The number of quotes that the user has left. Nullable, because a refused field would else make its siblings null. */
  @Query(() => Int, { nullable: true })
  quote(@RateLimitDecision() decision: Decision): number {
    return decision.remaining
  }
}
