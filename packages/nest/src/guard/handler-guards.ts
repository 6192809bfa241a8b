import type { AnyPolicy, RateLimiter } from '@halt/core'
import { guard, type Guard, type GuardOptions } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { failingLimiter, withoutPolicies } from '../policies/derived-limiters.ts'
import type { NamedPolicies } from '../policies/named-policies.ts'
import type { CallResult } from '../options/options.ts'
import { type LimitMetadata, limitMetadataOf } from '../policies/limit-metadata.ts'
import { selectPolicies, type PolicySelection } from '../policies/policy-selection.ts'

/** What decides the calls of one handler; undefined where nothing counts them. */
export type HandlerGuard = Guard<unknown, CallResult> | undefined

/** What a {@link HandlerGuards} plans with. */
export interface HandlerGuardsOptions {
  readonly limiter: RateLimiter
  readonly named: NamedPolicies
  /** The policies of every call; undefined where a resolver gives them. */
  readonly globals: readonly AnyPolicy[] | undefined
  /** How the module guards. */
  readonly settings: GuardOptions<unknown, CallResult>
}

type Handler = ReturnType<ExecutionContext['getHandler']>

/** Finds how a handler's calls are counted, once for each. */
export class HandlerGuards {
  readonly #options: HandlerGuardsOptions
  readonly #guards = new WeakMap<object, Map<unknown, HandlerGuard>>()
  readonly #nested = new WeakMap<object, Map<unknown, HandlerGuard>>()

  constructor(options: HandlerGuardsOptions) {
    this.#options = options
  }

  /** The plan of a call. @param nested whether it resolves a GraphQL field below the root */
  guardOf(context: ExecutionContext, nested: boolean): HandlerGuard {
    const type = context.getClass() ?? Object
    const handler = context.getHandler()
    const guards = nested ? this.#nested : this.#guards
    let ofClass = guards.get(type)
    if (ofClass === undefined) guards.set(type, (ofClass = new Map()))
    let found = ofClass.get(handler)
    if (found === undefined && !ofClass.has(handler))
      ofClass.set(handler, (found = this.#makeOrRefuse(type, handler, nested)))
    return found
  }

  /** Makes a handler's plan. @throws HaltError when its decorators or policies are wrong */
  makeGuard(type: object, handler: Handler | undefined, nested = false): HandlerGuard {
    // Below the root a field counts only where its own decorator says so: one root field brings thousands of them.
    const scopes = nested ? [limitMetadataOf(handler)] : [limitMetadataOf(type), limitMetadataOf(handler)]
    const selected = selectPolicies(scopes, this.#options.named, !nested)
    const cost = scopes.map(metadata => metadata.cost).findLast(found => found !== undefined)
    return this.#assemble(selected, cost)
  }

  // What was not found at start, because Nest's discovery does not know it, is refused like a policy that fails.
  #makeOrRefuse(type: object, handler: Handler | undefined, nested: boolean): HandlerGuard {
    try {
      return this.makeGuard(type, handler, nested)
    } catch (error) {
      return guard(failingLimiter(this.#options.limiter, error), this.#options.settings)
    }
  }

  #assemble({ global, without, added }: PolicySelection, cost: LimitMetadata['cost']): HandlerGuard {
    const { limiter, globals, settings } = this.#options
    const own = cost === undefined ? settings : { ...settings, cost }
    if (global && globals === undefined) return guard(withoutPolicies(limiter, without), own, orNone(added))
    const kept = global ? (globals ?? []).filter(({ name }) => !without.has(name)) : []
    const also = orNone(added.filter(policy => !kept.includes(policy)))
    if (kept.length === 0) return also && guard(limiter, { ...own, policy: also })
    // All of them: as the limiter or the module has them, so that a limiter that passed before charges nothing twice.
    return guard(limiter, kept.length === globals?.length ? own : { ...own, policy: kept }, also)
  }
}

function orNone(policies: readonly AnyPolicy[]): readonly AnyPolicy[] | undefined {
  return policies.length === 0 ? undefined : policies
}
