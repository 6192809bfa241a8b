import { type Policy, RateLimiter } from '@halt/core'
import { type GuardOptions, limiterOf } from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'

import { type CallReader, callReader } from '../calls/index.ts'
import { listOf, NamedPolicies } from '../policies/named-policies.ts'
import { type AnyOptions, checkModuleOptions, type HandledCall } from '../options/options.ts'
import { pendingLimiter } from '../policies/pending-limiter.ts'
import { HandlerGuards } from './handler-guards.ts'

/** The parts that one `HaltModule.forRoot` makes of its options: limiters, named policies and the guards of handlers. */
export class Runtime {
  readonly options: AnyOptions
  readonly limiter: RateLimiter
  readonly named: NamedPolicies
  readonly handlerGuards: HandlerGuards
  /** Reads a call of any transport. */
  readonly read: CallReader
  readonly #limiters = new Map<string, RateLimiter>()

  /** @throws HaltError when an option or a policy is wrong */
  constructor(options: AnyOptions) {
    checkModuleOptions(options)
    this.options = options
    const { limiter, policy = limiter?.options.policy, policies = {}, getRequest } = options
    const globals = globalsOf(policy)
    this.named = new NamedPolicies(globals)
    for (const [name, list] of Object.entries(policies)) this.named.add(name, list as Policy)
    // A limiter needs a policy. Without a global one it gets all named ones, and the guard of each handler chooses some.
    const { all } = this.named
    const own = policy === undefined && all.length > 0 ? { ...options, policy: all } : options
    this.limiter = limiterOf(
      own,
      () => new InMemoryStore(),
      given => new RateLimiter(given),
    )
    for (const name of Object.keys(policies)) this.limiterFor(name)
    this.read = callReader(this.limiter, getRequest)
    const settings = settingsOf(options)
    this.handlerGuards = new HandlerGuards({ limiter: this.limiter, named: this.named, globals, settings })
  }

  /** The limiter of the module, and the limiters of names. */
  get limiters(): readonly RateLimiter[] {
    return [this.limiter, ...this.#limiters.values()]
  }

  /** The limiter that counts only by the policies of a name. @throws HaltError if they are wrong or the name is unknown */
  limiterFor(name: string): RateLimiter {
    let limiter = this.#limiters.get(name)
    if (limiter === undefined) {
      limiter = new RateLimiter({ ...this.limiter.options, policy: this.named.find(name) })
      this.#limiters.set(name, limiter)
    }
    return limiter
  }

  /**
   * As {@link limiterFor}. If the name is not known yet, or only to another application of the process: a limiter that is
   * looked up at its first use.
   */
  limiterOnDemand(name: string): RateLimiter {
    return this.named.has(name) ? this.limiterFor(name) : pendingLimiter(() => this.limiterFor(name))
  }
}

function globalsOf(policy: AnyOptions['policy']): readonly Policy[] | undefined {
  if (typeof policy === 'function') return undefined
  return policy === undefined ? [] : listOf(policy as Policy | readonly Policy[])
}

function settingsOf(options: AnyOptions): GuardOptions<unknown, HandledCall> {
  const { limiter, policy, cost, skip, chargeWhen, idempotencyKey } = options
  const { costOnError, headers, errorFormat, statusCode, skipPreflight, delay } = options
  return {
    costOnError,
    headers,
    errorFormat,
    statusCode,
    skipPreflight,
    delay,
    // If no limiter was given, the limiter made here has the policy already.
    policy: limiter === undefined ? undefined : (policy as GuardOptions['policy']),
    cost: cost as GuardOptions['cost'],
    skip: skip as GuardOptions['skip'],
    idempotencyKey: idempotencyKey as GuardOptions['idempotencyKey'],
    chargeWhen: chargeWhen && (({ result, context }) => chargeWhen(result, context)),
  }
}
