import type { RateLimiter } from '@halt/core'
import { LIMITER_OPTIONS, limiterOf } from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'
import type { FastifyRequest } from 'fastify'

import { Gate } from './gate.ts'
import { inherit, inheritBeside, inheritForm, policiesBeside } from './inherit.ts'
import {
  checkHook,
  checkPlugin,
  checkRoute,
  type GateOptions,
  type HaltHookName,
  type HaltHookOptions,
  type HaltOptions,
} from './options.ts'

/** What is done for a route: in the hook of the registration, and in one of the route's own. */
export interface Plan {
  readonly global: Gate | undefined
  readonly own: Gate | undefined
  readonly hook: HaltHookName
}

/** The plugin as registered on one instance: its limiter, its gate, and how routes and hooks vary them. */
export class Registration {
  readonly limiter: RateLimiter<FastifyRequest>
  readonly hook: HaltHookName
  readonly isGlobal: boolean
  readonly gate: Gate
  readonly #options: GateOptions

  constructor(given: HaltOptions) {
    checkPlugin(given)
    const { hook = 'onRequest', global = true, ...options } = given
    this.hook = hook
    this.isGlobal = global
    this.limiter = limiterOf<FastifyRequest>(options, () => new InMemoryStore())
    // Without a limiter of its own, `policy` is the limiter's already.
    this.#options = gateOptions(options as HaltHookOptions, options.limiter !== undefined)
    this.gate = new Gate(this.limiter, this.#options)
  }

  /** The gate of `app.halt(given)`. */
  gateFor(given: HaltHookOptions): Gate {
    checkHook(given)
    const { limiter, policy } = given
    if (limiter !== undefined) {
      return new Gate(
        limiterOf(given, () => new InMemoryStore()),
        inheritForm(this.#options, gateOptions(given, true)),
      )
    }
    const isLimiter = LIMITER_OPTIONS.some(
      name => name !== 'policy' && (given as Record<string, unknown>)[name] !== undefined,
    )
    if (isLimiter || typeof policy === 'function') {
      const own = limiterOf<FastifyRequest>({ ...this.limiter.options, ...given }, () => new InMemoryStore())
      return new Gate(own, inheritForm(this.#options, gateOptions(given, false)))
    }
    const options = gateOptions(given, true)
    return new Gate(
      this.limiter,
      policy === undefined ? inherit(this.#options, options) : inheritForm(this.#options, options),
    )
  }

  /**
   * What `config.halt` makes of a route.
   *
   * @throws HaltError when it is wrong
   */
  plan(given: unknown): Plan {
    checkRoute(given)
    const { limiter, hook = this.hook, override = false, ...own } = given
    const isGlobal = this.isGlobal && !override
    const global = isGlobal ? this.gate : undefined
    if (limiter !== undefined && limiter !== this.limiter) {
      return {
        global,
        own: new Gate(
          limiterOf(given, () => new InMemoryStore()),
          inheritForm(this.#options, own),
        ),
        hook,
      }
    }
    const gate = this.#merge(own, isGlobal)
    return isGlobal && hook === this.hook
      ? { global: gate, own: undefined, hook }
      : { global: undefined, own: gate, hook }
  }

  #merge(own: GateOptions, isGlobal: boolean): Gate {
    const { policy } = own
    if (policy === undefined) return new Gate(this.limiter, inherit(this.#options, own))
    if (!isGlobal) return new Gate(this.limiter, inheritForm(this.#options, own))
    const beside = policiesBeside(policy, this.#options, this.limiter)
    const options = inheritBeside(this.#options, own, this.limiter)
    return new Gate(this.limiter, options, beside.length === 0 ? undefined : beside)
  }
}

/** What is left of an adapter's options for its gate. */
function gateOptions(given: HaltHookOptions, withPolicy: boolean): GateOptions {
  const entries = Object.entries(given).filter(
    ([name]) => name !== 'limiter' && (name === 'policy' ? withPolicy : !LIMITER_OPTIONS.includes(name)),
  )
  return Object.fromEntries(entries)
}
