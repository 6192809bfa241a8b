import type { Decision, Policy, Quota, RateLimiter } from '../../src/index.ts'
import { type HeaderDialect, type Headers, headerWriter } from '../../src/http/index.ts'
import { type Options, times, world } from '../world.ts'

/** The headers of the last of some requests. */
export async function headersOf(
  dialect: HeaderDialect,
  policy: Policy | Quota | (Policy | Quota)[],
  requests: number,
  options: Options = {},
): Promise<Headers> {
  const limiter: RateLimiter = world().limiter(policy, options)
  const decision = (await times(requests, limiter)).at(-1) as Decision
  return headerWriter(dialect, limiter)(decision)
}
