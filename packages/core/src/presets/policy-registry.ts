import { fromCaller } from '../base/warnings.ts'
import { compilePolicy } from '../policy/compiled-policy.ts'
import { describe, HaltError } from '../base/errors.ts'
import { fail } from '../base/options-check.ts'
import { type Awaitable, isPromise } from '../base/promises.ts'
import { type AllOptional, definePolicy } from './define-policy.ts'
import type { ConcurrencyPolicy, Policy, PolicyResolver, Quota, RatePolicy } from '../policy/policy.ts'

/**
 * A set of named policies whose numbers can change while the service runs. A change takes effect with the next request of this
 * process. Used units stay used.
 *
 * @example
 * const registry = new PolicyRegistry([presets.PUBLIC_API, presets.AUTH_ENDPOINTS])
 * const limiter = new RateLimiter({ store, policy: registry.resolver(() => 'public_api') })
 * registry.update('public_api', { limit: 200 })
 */
export class PolicyRegistry<R = unknown> {
  readonly #policies = new Map<string, Policy<R>>()

  /** @throws HaltError `HALT_E_DUPLICATE_POLICY`, or a code for the mistake in a policy */
  constructor(policies: Iterable<Policy<R>> = []) {
    fromCaller(PolicyRegistry, () => this.#fill(policies))
  }

  #fill(policies: Iterable<Policy<R>>): void {
    if (typeof (policies as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] !== 'function')
      throw new HaltError(
        'HALT_E_POLICY',
        `PolicyRegistry got ${describe(policies)}.`,
        'Give a list of policies: new PolicyRegistry([policy]).',
      )
    for (const policy of policies) {
      if (this.has((policy as Policy<R> | undefined)?.name ?? ''))
        throw new HaltError(
          'HALT_E_DUPLICATE_POLICY',
          `Two of the policies are named "${policy.name}".`,
          'Give each policy its own name. Later, register(policy) replaces one.',
        )
      this.register(policy)
    }
  }

  /** Adds a policy under its name, or replaces the policy with that name. */
  register(policy: Policy<R>): void {
    // Compiled as the limiter does it, because some mistakes, such as an unknown time zone, appear only then.
    compilePolicy(policy, { multiplier: undefined, keysPerAddress: 1 })
    this.#policies.set(policy.name, Object.freeze({ ...policy }))
  }

  /** Returns the policy with this name. @throws HaltError `HALT_E_UNKNOWN_POLICY`, which lists the names */
  get(name: string): Policy<R> {
    const policy = this.#policies.get(name)
    if (policy !== undefined) return policy
    const names = [...this.#policies.keys()].join(', ') || 'none yet'
    return fail(
      'HALT_E_UNKNOWN_POLICY',
      `There is no policy ${describe(name)}.`,
      `The policies are ${names}.`,
    )
  }

  has(name: string): boolean {
    return this.#policies.has(name)
  }

  /** Changes some fields. The name and the counter stay. `burst` keeps its proportion to `limit`, unless it is changed too. */
  update(
    name: string,
    changes:
      | AllOptional<Omit<RatePolicy<R>, 'name'>>
      | AllOptional<Omit<ConcurrencyPolicy<R>, 'name'>>
      | AllOptional<Omit<Quota<R>, 'name'>>,
  ): Policy<R> {
    const base = this.get(name)
    const changed = definePolicy(base as RatePolicy<R>, changes as AllOptional<RatePolicy<R>>)
    const next = { ...changed, name, counter: base.counter ?? name } as Policy<R>
    this.register(next)
    return this.get(name)
  }

  remove(name: string): boolean {
    return this.#policies.delete(name)
  }

  list(): Policy<R>[] {
    return [...this.#policies.values()]
  }

  /** Makes a limiter's `policy` that looks up the selected names for every request. */
  resolver(select: (request: R) => Awaitable<string | readonly string[]>): PolicyResolver<R> {
    const find = (names: string | readonly string[]): Policy<R> | Policy<R>[] =>
      typeof names === 'string' ? this.get(names) : names.map(name => this.get(name))
    return request => {
      const names = select(request)
      return isPromise(names) ? names.then(find) : find(names)
    }
  }
}
