import type { Policy, RateLimiter } from '@halt/core'
import { guard, type Guard, type GuardOptions } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { failingLimiter, withoutPolicies } from '../policies/derived-limiters.ts'
import type { NamedPolicies } from '../policies/named-policies.ts'
import type { HandledCall } from '../options/options.ts'
import { type LimitMetadata, limitMetadataOf } from '../policies/limit-metadata.ts'
import { selectPolicies, type PolicySelection } from '../policies/policy-selection.ts'

/** The guard of one handler; undefined if no policy counts its calls. */
export type HandlerGuard = Guard<unknown, HandledCall> | undefined

/** Options of {@link HandlerGuards}. */
export interface HandlerGuardsOptions {
  readonly limiter: RateLimiter
  readonly named: NamedPolicies
  /** The policies of every call; undefined if a resolver gives them. */
  readonly globals: readonly Policy[] | undefined
  /** The options of every guard. */
  readonly settings: GuardOptions<unknown, HandledCall>
}

type Handler = ReturnType<ExecutionContext['getHandler']>

/** The guards of all handlers, each made at its first use. */
export class HandlerGuards {
  readonly #options: HandlerGuardsOptions
  readonly #guards = new WeakMap<object, Map<unknown, HandlerGuard>>()
  readonly #nested = new WeakMap<object, Map<unknown, HandlerGuard>>()

  constructor(options: HandlerGuardsOptions) {
    this.#options = options
  }

  /** The guard of a call. @param nested true if the call resolves a GraphQL field below the root */
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

  /** Makes the guard of a handler. @throws HaltError if its decorators or policies are wrong */
  makeGuard(type: object, handler: Handler | undefined, nested = false): HandlerGuard {
    // A field below the root is counted only if it has a decorator itself, because one root field may bring thousands.
    const scopes = nested ? [limitMetadataOf(handler)] : [limitMetadataOf(type), limitMetadataOf(handler)]
    const selected = selectPolicies(scopes, this.#options.named, !nested)
    const cost = scopes.map(metadata => metadata.cost).findLast(found => found !== undefined)
    return this.#assemble(selected, cost)
  }

  // The check at start does not see handlers that Nest's discovery does not know. Refuse a wrong one like a failed policy.
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
    // If all global policies apply, do not replace `policy`, so that the limiter recognises what earlier guards charged.
    return guard(limiter, kept.length === globals?.length ? own : { ...own, policy: kept }, also)
  }
}

function orNone(policies: readonly Policy[]): readonly Policy[] | undefined {
  return policies.length === 0 ? undefined : policies
}
