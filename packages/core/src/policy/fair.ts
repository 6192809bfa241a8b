import { type Rule, shareRuleOf } from '../algorithms/index.ts'
import { BoundedMap } from '../base/bounded-memory.ts'
import { describe } from '../base/errors.ts'
import type { Awaitable } from '../base/promises.ts'
import { checkNames, type Fields, fail } from '../base/options-check.ts'
import type { KeyStrategy } from '../request/identity.ts'

/** How tenants share a policy's one counter. `R` is the framework's request. */
export interface Fair<R = unknown> {
  /**
   * Which requests are one tenant: those of a user, of an API key, of an address, or those for which a function returns the same key.
   * Authenticate first: ten names are ten shares. Requests without a key are one tenant together, unless the policy has `onMissingKey`.
   */
  readonly by:
    | 'user'
    | 'api-key'
    | 'ip'
    | 'composite'
    | ((request: R) => Awaitable<string | null | undefined>)
  /**
   * How much more than others a tenant gets while the limit is scarce, a whole number from 1 to 100, or a function that returns it for a
   * request. A function that fails gives 1, and so does an identity. Default 1.
   */
  readonly weight?: number | ((request: R) => number) | undefined
}

/** A policy's fair shares, compiled. */
export interface CompiledFair {
  readonly by: KeyStrategy
  readonly keyExtractor: ((request: never, context?: unknown) => unknown) | undefined
  readonly weight: number | ((request: never) => number)
  /** The rule of a tenant's share of a pool. */
  share(pool: Rule, tenant: string): Rule
  /** Notes the rule by which a pool is asked now. */
  asks(pool: Rule): void
  /** The rule by which a pool was asked last: if its numbers have changed, another one than that of an earlier charge. */
  latest(pool: Rule): Rule
}

const STRATEGIES = ['user', 'api-key', 'ip', 'composite']
const MOST_WEIGHT = 100
// A limiter may meet any number of tenants.
const MOST_RULES = 10_000

/** @throws HaltError `HALT_E_FAIR` for a policy's `fair` that is wrong, or that does not go with another field */
export function checkFair(policy: Fields, isQuota: boolean): void {
  const { fair, algorithm = 'token-bucket', keyStrategy, keyExtractor, lease, blockDuration } = policy
  if (fair === undefined) return
  if (typeof fair !== 'object' || fair === null)
    refuse(`fair is ${describe(fair)}.`, 'Give an object: { by: "user" }.')
  const { by, weight } = fair as Fields
  checkNames(fair as Fields, ['by', 'weight'], 'fair')
  if (typeof by !== 'function' && !STRATEGIES.includes(by as string))
    refuse(
      `by of fair is ${describe(by)}.`,
      'Give "user", "api-key", "ip", "composite", or a function that returns the tenant of a request.',
    )
  if (weight !== undefined && typeof weight !== 'function' && !isWeight(weight))
    refuse(
      `weight of fair is ${describe(weight)}.`,
      'Give a whole number from 1 to 100, or a function that returns one.',
    )
  if (isQuota || (algorithm !== 'token-bucket' && algorithm !== 'concurrency'))
    refuse(
      `${isQuota ? 'A quota' : String(algorithm)} does not take fair: units that come back all at once cannot be shared as they come.`,
      'Use "token-bucket" or "concurrency".',
    )
  if (keyStrategy !== 'shared' || keyExtractor !== undefined)
    refuse(
      'fair needs one counter that all tenants share.',
      'Give keyStrategy: "shared", and name the tenants in fair: { by }.',
    )
  if (lease !== undefined)
    refuse('fair does not go with lease: a process would take units for nobody.', 'Leave one of them out.')
  if (blockDuration !== undefined)
    refuse(
      'fair does not go with blockDuration: a refusal of one tenant would block all of them.',
      'Leave one out, or give blockDuration to a second policy that counts each tenant.',
    )
}

// A policy with other numbers has the same `fair`, so that the charges of the one find the pool of the other.
const compiled = new WeakMap<Fair<never>, CompiledFair>()

/** Compiles a checked `fair`. */
export function compileFair(fair: Fair<never>): CompiledFair {
  let found = compiled.get(fair)
  if (found === undefined) compiled.set(fair, (found = makeFair(fair)))
  return found
}

function makeFair({ by, weight = 1 }: Fair<never>): CompiledFair {
  const rules = new BoundedMap<Rule>(MOST_RULES)
  const pools = new BoundedMap<Rule>(MOST_RULES)
  return {
    by: typeof by === 'function' ? 'custom' : by,
    keyExtractor: typeof by === 'function' ? by : undefined,
    weight,
    asks(pool) {
      if (pools.get(pool.counter) !== pool) pools.set(pool.counter, pool)
    },
    latest: pool => pools.get(pool.counter) ?? pool,
    share(pool, tenant) {
      const key = `${tenant} ${pool.counter}`
      let rule = rules.get(key)
      // With other numbers the pool is another rule, and its shares too.
      if (rule === undefined || rule.limit !== pool.limit || rule.window !== pool.window)
        rules.set(key, (rule = shareRuleOf(pool, tenant)))
      return rule
    },
  }
}

/** Whether a value is a weight. */
export function isWeight(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_WEIGHT
}

function refuse(message: string, fix: string): never {
  fail('HALT_E_FAIR', message, fix)
}
