import { PEEK_COUNTERS, checkPeekOptions, type PeekOptions } from '../check/check-options.ts'
import { Decision } from '../check/decision.ts'
import type { LimiterParts } from '../limiter/assembly.ts'
import { type AppliedControl, NO_CONTROL } from '../limiter/gate.ts'
import { failIfDegraded, reachedBy, type RequestPeek } from '../limiter/peeker.ts'
import { isIdentity } from '../request/identity.ts'
import { type CounterReading, countersIn } from './counter-reading.ts'
import { explain } from './explain.ts'
import type { Explanation } from './explanation.ts'

/** Explains decisions and reads counters, and charges nothing. */
export class Inspector {
  readonly #parts: Pick<LimiterParts, 'peeker' | 'pipeline' | 'exemptionCheck' | 'callers'>

  constructor(parts: LimiterParts) {
    this.#parts = parts
  }

  async explain(target: unknown, options: PeekOptions<never>): Promise<Explanation> {
    const { peeker, callers, exemptionCheck } = this.#parts
    checkPeekOptions(options)
    if (isIdentity(target)) return explain(await peeker.identity(target, options))
    const peeked = await peeker.request(target, options)
    const { decision, policies = [], caller } = peeked
    const control = await this.#controlOf(peeked)
    const isHealthCheck = exemptionCheck.isHealthCheck(caller.view)
    const healthCheck = isHealthCheck ? 'the path is a health check' : undefined
    const exemptions = policies.map(policy => ({
      policy,
      why: healthCheck ?? (control.access === undefined ? exemptionCheck.reason(policy, caller) : undefined),
    }))
    return explain({ decision, policies, caller, exemptions, walk: callers.clientIp, control })
  }

  /** @throws HaltError `HALT_E_IDENTITY_KIND` as a peek; `HALT_E_STORE` when the store does not answer */
  async inspect(target: unknown, options: PeekOptions<never>): Promise<readonly CounterReading[]> {
    checkPeekOptions(options)
    const { peeker } = this.#parts
    const peeked = isIdentity(target)
      ? reachedBy(await peeker.identity(target, options, PEEK_COUNTERS))
      : await this.#withControl(await this.peekCounters(target, options))
    failIfDegraded(peeked.decision)
    const result = Decision.recordOf(peeked.decision)?.result
    return result === undefined ? [] : countersIn(result, peeked.control)
  }

  /** A peek at the counters of a request, even if operators block its client or let it pass. */
  peekCounters(target: unknown, options: PeekOptions<never>): Promise<RequestPeek> {
    return this.#parts.peeker.request(target, options, PEEK_COUNTERS)
  }

  async #withControl(peeked: RequestPeek): Promise<RequestPeek & { readonly control: AppliedControl }> {
    return { ...peeked, control: await this.#controlOf(peeked) }
  }

  /** Operators decide nothing about a health check, or about a request without policies. */
  async #controlOf({ policies, caller }: RequestPeek): Promise<AppliedControl> {
    const { pipeline, exemptionCheck } = this.#parts
    if (policies === undefined || exemptionCheck.isHealthCheck(caller.view)) return NO_CONTROL
    return (await pipeline.gate?.applied(policies, caller)) ?? NO_CONTROL
  }
}
