import { type AnyPolicy, HaltError, RateLimiter } from '@halt/core'
import type { ExecutionContext } from '@nestjs/common'

import { listOf, type NamedPolicies } from './named.ts'
import { isPlain, merge, type Plan, select, type Selection } from './plan.ts'
import { type Rules, rulesOf } from './rules.ts'

/** What a {@link Planner} plans with. */
export interface PlannerOptions {
  readonly limiter: RateLimiter
  readonly named: NamedPolicies
  /** The policies of every call; undefined where a resolver gives them. */
  readonly globals: readonly AnyPolicy[] | undefined
  /** Whether the limiter decides by exactly these. */
  readonly isLimiters: boolean
  /** Whether every call is to be looked at when it ends. */
  readonly watches: boolean
}

type Handler = ReturnType<ExecutionContext['getHandler']>

/** Finds how a handler's calls are counted, once for each. */
export class Planner {
  readonly #options: PlannerOptions
  readonly #plans = new WeakMap<object, Map<unknown, Plan>>()
  readonly #nested = new WeakMap<object, Map<unknown, Plan>>()

  constructor(options: PlannerOptions) {
    this.#options = options
  }

  /** Whether calls without decorators are to be looked at when they end. */
  get watchesAll(): boolean {
    const { globals, watches } = this.#options
    return watches || globals === undefined || countsFlight(globals)
  }

  /** The plan of a call. @param nested whether it resolves a GraphQL field below the root */
  planOf(context: ExecutionContext, nested: boolean): Plan {
    const type = context.getClass() ?? Object
    const handler = context.getHandler()
    const plans = nested ? this.#nested : this.#plans
    let ofClass = plans.get(type)
    if (ofClass === undefined) plans.set(type, (ofClass = new Map()))
    let plan = ofClass.get(handler)
    if (plan === undefined) ofClass.set(handler, (plan = this.#makeOrFail(type, handler, nested)))
    return plan
  }

  /** Makes a handler's plan. @throws HaltError when its decorators or policies are wrong */
  make(type: object, handler: Handler | undefined, nested = false): Plan {
    const { named } = this.#options
    // Below the root a field counts only where its own decorator says so: one root field brings thousands of them.
    const scopes = nested ? [rulesOf(handler)] : [rulesOf(type), rulesOf(handler)]
    const selected = select(scopes, named)
    const cost = scopes.map(rules => rules.cost).findLast(found => found !== undefined)
    return this.#assemble(nested ? { ...selected, global: false } : selected, cost)
  }

  // What was not found at start, because Nest's discovery does not know it, is refused like a policy that fails.
  #makeOrFail(type: object, handler: Handler | undefined, nested: boolean): Plan {
    try {
      return this.make(type, handler, nested)
    } catch (error) {
      const fail = (): never => {
        throw error
      }
      return { skip: false, own: undefined, watches: false, merge: fail }
    }
  }

  #assemble(selection: Selection, cost: Rules['cost']): Plan {
    const { globals, isLimiters, watches } = this.#options
    const own = cost === undefined ? undefined : { cost }
    if (globals === undefined && selection.global) {
      this.#validate(selection.added)
      return { skip: false, own, watches: true, merge: isPlain(selection) ? undefined : memoized(selection) }
    }
    const policies = merge(selection, globals ?? [])
    const skip = policies.length === 0
    if (isPlain(selection) && isLimiters && !skip)
      return { skip, own, watches: watches || countsFlight(policies), merge: undefined }
    this.#validate(policies)
    return {
      skip,
      own: { ...own, policy: policies },
      watches: watches || countsFlight(policies),
      merge: undefined,
    }
  }

  #validate(policy: readonly AnyPolicy[]): void {
    if (policy.length > 0) void new RateLimiter({ ...this.#options.limiter.options, policy })
  }
}

/** What a resolver gives is compiled once for each object: so what is made of it is one object, too. */
function memoized(selection: Selection): NonNullable<Plan['merge']> {
  const made = new WeakMap<object, readonly AnyPolicy[]>()
  return resolved => {
    let merged = made.get(resolved)
    if (merged === undefined) made.set(resolved, (merged = merge(selection, listOf(resolved))))
    if (merged.length === 0)
      throw new HaltError('HALT_E_POLICY', 'Every policy is skipped.', 'Use @SkipRateLimit() without names.')
    return merged
  }
}

function countsFlight(policies: readonly AnyPolicy[]): boolean {
  return policies.some(policy => 'algorithm' in policy && policy.algorithm === 'concurrency')
}
