import type { Limiter } from '@halt/core'
import { LIMITER_OPTIONS, limiterOf, type RateLimiterOptions } from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'
import type { FastifyRequest } from 'fastify'

import { addedPolicies, mergeForAddedPolicies, mergeForOwnPolicies, mergeOptions } from './merged-options.ts'
import { checkHook, checkPlugin, checkRoute } from './options-check.ts'
import type { HaltHookName, HaltHookOptions, HaltOptions, RequestGuardOptions } from './options.ts'
import { RequestGuard } from './request-guard.ts'
import type { RouteSteps } from './route-steps.ts'

/** The plugin as registered on one instance: its limiter and its guard, and the guards of routes and hooks. */
export class Registration {
  readonly limiter: Limiter<FastifyRequest>
  readonly hook: HaltHookName
  readonly isGlobal: boolean
  readonly guard: RequestGuard
  readonly #options: RequestGuardOptions

  constructor(given: HaltOptions) {
    checkPlugin(given)
    const { hook = 'onRequest', global = true, ...options } = given
    this.hook = hook
    this.isGlobal = global
    this.limiter = limiterOf<FastifyRequest>(options, makeStore)
    // If no limiter was given, the limiter made here has the policy already.
    this.#options = guardOptionsFrom(options as HaltHookOptions, options.limiter !== undefined)
    this.guard = new RequestGuard(this.limiter, this.#options)
  }

  /** The guard of `app.halt(given)`. */
  guardFor(given: HaltHookOptions): RequestGuard {
    checkHook(given)
    const { limiter, policy } = given
    if (limiter !== undefined)
      return this.#separateGuard(limiterOf(given, makeStore), guardOptionsFrom(given, true))
    if (typeof policy === 'function' || isLimiter(given)) {
      const options = { ...this.limiter.options, ...given }
      const make = (found: RateLimiterOptions<FastifyRequest>): Limiter<FastifyRequest> =>
        this.limiter.withOptions(found)
      const own = limiterOf(options, makeStore, make)
      return this.#separateGuard(own, guardOptionsFrom(given, false))
    }
    return this.#sharedGuard(guardOptionsFrom(given, true), false)
  }

  /**
   * The steps of a route with a `config.halt`.
   *
   * @throws HaltError when it is wrong
   */
  stepsFor(given: unknown): RouteSteps {
    checkRoute(given)
    const { limiter, hook = this.hook, override = false, ...own } = given
    const isGlobal = this.isGlobal && !override
    if (limiter !== undefined && limiter !== this.limiter) {
      const separate = this.#separateGuard(limiterOf({ limiter }, makeStore), own)
      return { global: isGlobal ? this.guard : undefined, own: separate, hook }
    }
    const guard = this.#sharedGuard(own, isGlobal)
    const inPlace = isGlobal && hook === this.hook
    return { global: inPlace ? guard : undefined, own: inPlace ? undefined : guard, hook }
  }

  #separateGuard(limiter: Limiter<FastifyRequest>, own: RequestGuardOptions): RequestGuard {
    return new RequestGuard(limiter, mergeForOwnPolicies(this.#options, own))
  }

  #sharedGuard(own: RequestGuardOptions, isGlobal: boolean): RequestGuard {
    const { policy } = own
    if (policy === undefined) return new RequestGuard(this.limiter, mergeOptions(this.#options, own))
    if (!isGlobal) return this.#separateGuard(this.limiter, own)
    const added = addedPolicies(policy, this.#options, this.limiter)
    const options = mergeForAddedPolicies(this.#options, own, this.limiter)
    return new RequestGuard(this.limiter, options, added.length === 0 ? undefined : added)
  }
}

const makeStore = (): InMemoryStore => new InMemoryStore()

function isLimiter(given: HaltHookOptions): boolean {
  return LIMITER_OPTIONS.some(
    name => name !== 'policy' && (given as Record<string, unknown>)[name] !== undefined,
  )
}

/** The options that are for the guard, not for the limiter. */
function guardOptionsFrom(given: HaltHookOptions, withPolicy: boolean): RequestGuardOptions {
  const entries = Object.entries(given).filter(
    ([name]) => name !== 'limiter' && (name === 'policy' ? withPolicy : !LIMITER_OPTIONS.includes(name)),
  )
  return Object.fromEntries(entries)
}
