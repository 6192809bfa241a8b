import type { Decision } from '@halt/core'
import { RateLimitDecision } from '@halt/nest'
import { Int, Query, Resolver } from '@nestjs/graphql'

/** The GraphQL fields: each costs what a request does, however many stand in one. */
@Resolver()
export class QuotesResolver {
  /** How many quotes the user has left. Nullable: else one refused field would take the others with it. */
  @Query(() => Int, { nullable: true })
  quote(@RateLimitDecision() decision: Decision): number {
    return decision.remaining
  }
}
