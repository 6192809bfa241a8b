import { type AnyPolicy, RateLimiter } from '@halt/core'
import { guard, type Guard, type GuardOptions, limiterOf } from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'
import type { ExecutionContext } from '@nestjs/common'

import { type CallReader, callReader } from './calls/index.ts'
import { mergingLimiter } from './merging.ts'
import { listOf, NamedPolicies } from './named.ts'
import { type AnyOptions, checkModuleOptions, type HandlerResult } from './options.ts'
import type { Plan } from './plan.ts'
import { Planner } from './planner.ts'

/** What came of a call, for `chargeWhen`. */
export interface Ending {
  readonly result: HandlerResult
  readonly context: ExecutionContext
}

/** What one `HaltModule.forRoot` makes of its options: the limiters, and how each handler is guarded. */
export class Runtime {
  readonly options: AnyOptions
  readonly limiter: RateLimiter
  readonly named: NamedPolicies
  readonly planner: Planner
  /** Sees calls as Halt does. */
  readonly read: CallReader
  readonly #gate: Guard<unknown, Ending>
  readonly #limiters = new Map<string, RateLimiter>()
  #merging: Guard<unknown, Ending> | undefined

  /** @throws HaltError when an option or a policy is wrong */
  constructor(options: AnyOptions) {
    checkModuleOptions(options)
    this.options = options
    const { limiter, policy = limiter?.options.policy, policies = {} } = options
    this.named = new NamedPolicies(globalsOf(policy))
    for (const [name, list] of Object.entries(policies)) this.named.add(name, list as AnyPolicy)
    // A limiter has at least one policy; without a global one each handler's plan says by which it counts.
    const { all } = this.named
    const own = policy === undefined && all.length > 0 ? { ...options, policy: all } : options
    this.limiter = limiterOf<unknown>(own, () => new InMemoryStore())
    for (const name of Object.keys(policies)) this.limiterFor(name)
    this.#gate = guard(this.limiter, guardOptionsOf(options))
    this.read = callReader(this.limiter, options.getRequest)
    this.planner = new Planner({
      limiter: this.limiter,
      named: this.named,
      globals: globalsOf(policy),
      isLimiters: policy !== undefined && policy === this.limiter.options.policy,
      watches: options.chargeWhen !== undefined,
    })
  }

  /** The guard that decides the calls of a plan. */
  gateOf(plan: Plan): Guard<unknown, Ending> {
    if (plan.merge === undefined) return this.#gate
    return (this.#merging ??= guard(mergingLimiter(this.limiter, this.planner), guardOptionsOf(this.options)))
  }

  /** The limiter that counts by the policies of a name alone. @throws HaltError when they are wrong, or nobody has the name */
  limiterFor(name: string): RateLimiter {
    let limiter = this.#limiters.get(name)
    if (limiter === undefined) {
      limiter = new RateLimiter({ ...this.limiter.options, policy: this.named.find(name) })
      this.#limiters.set(name, limiter)
    }
    return limiter
  }
}

function globalsOf(policy: AnyOptions['policy']): readonly AnyPolicy[] | undefined {
  if (typeof policy === 'function') return undefined
  return policy === undefined ? [] : listOf(policy as AnyPolicy | readonly AnyPolicy[])
}

function guardOptionsOf(options: AnyOptions): GuardOptions<unknown, Ending> {
  const { costOnError, headers, errorFormat, statusCode, skipPreflight, cost, skip, chargeWhen } = options
  return {
    costOnError,
    headers,
    errorFormat,
    statusCode,
    skipPreflight,
    cost: cost as GuardOptions['cost'],
    skip: skip as GuardOptions['skip'],
    chargeWhen: chargeWhen && (({ result, context }) => chargeWhen(result, context)),
  }
}
