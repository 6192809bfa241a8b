import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { CheckOptions } from '../check/check-options.ts'
import type { CheckResult } from '../check/check-result.ts'
import { Decision } from '../check/decision.ts'
import { HaltError } from '../base/errors.ts'
import type { RuledCounter } from '../check/evaluator.ts'
import type { LimiterParts } from '../limiter/assembly.ts'
import { failIfDegraded, noCountingPolicy } from '../limiter/peeker.ts'
import type { Inspector } from './inspector.ts'
import { countsBy, inBraces, unreachedOf } from '../policy/reachability.ts'
import { type Identity, isIdentity, kindOf, SHARED } from '../request/identity.ts'
import { demandsAt } from '../check/check.ts'
import type { Demand, Store } from '../store/contract.ts'
import { ofTenant } from '../store/terms.ts'

/** The parts of a limiter that a reset uses. */
export interface ResetParts extends Pick<LimiterParts, 'policies' | 'callers' | 'corrections' | 'warn'> {
  readonly store: Store
  readonly inspector: Inspector
}

/** The policies whose counters are reset. Absent: all. */
type Chosen = CheckOptions<never>['policy']

/** Resets the counters of an identity, a request or a decision. It never resets quotas or penalties. */
export class CounterReset {
  readonly #parts: ResetParts

  constructor(parts: ResetParts) {
    this.#parts = parts
  }

  /** Resolves to how many counters the store forgot. */
  async reset(target: unknown, given: Chosen): Promise<number> {
    const record = Decision.recordOf(target)
    if (record !== undefined) return this.#resetCounted(record.result, this.#chosenPolicies(given))
    if (!isIdentity(target) && isRequest(target)) return this.#resetRequest(target, given)
    return this.#resetIdentity(target as Identity, this.#chosenPolicies(given))
  }

  async #resetRequest(request: unknown, given: Chosen): Promise<number> {
    const options = given === undefined ? {} : { policy: given }
    const { decision, policies } = await this.#parts.inspector.peekCounters(request, options)
    if (policies === undefined) throw noPolicies('The policy resolver failed.')
    failIfOnlyQuotas(policies)
    failIfDegraded(decision)
    return this.#resetCounted(Decision.recordOf(decision)?.result, policies)
  }

  async #resetCounted(result: CheckResult | undefined, policies: readonly CompiledPolicy[]): Promise<number> {
    if (result === undefined) return 0
    const demands = demandsOf(result, policies)
    return this.#parts.corrections.forget(
      demands.map(({ subject, rule }) => ({ subject, counter: rule.counter, rule })),
    )
  }

  async #resetIdentity(identity: Identity, policies: readonly CompiledPolicy[]): Promise<number> {
    const subject = this.#parts.callers.keys.subjectOf(identity)
    const kind = kindOf(identity)
    const counting = policies.filter(({ calendar }) => calendar === undefined)
    // Forget the counters of all policies, because `consume` charges an identity under every policy.
    const count = await this.#parts.corrections.forget(
      counting.flatMap(policy => countersFor(subject, policy)),
    )
    const reached = counting.filter(policy => countsBy(policy, kind, counting))
    const unreached = unreachedOf(kind, counting, reached, this.#parts.callers.apiKey !== undefined)
    if (reached.length === 0 && count === 0) throw noCountingPolicy(kind, unreached)
    const unnamed = reached.find(policy => this.#hasUnknownRoutes(policy))
    if (unnamed !== undefined) throw routesNotKnown(unnamed, count)
    if (unreached.length > 0) this.#noticePartial(inBraces(kind), unreached)
    return count
  }

  #chosenPolicies(given: Chosen): readonly CompiledPolicy[] {
    const policies =
      given === undefined ? [...this.#parts.policies.compiled()] : this.#parts.policies.compile(given)
    if (policies.length === 0)
      throw noPolicies('The policies come from a resolver, which has not given any yet.')
    failIfOnlyQuotas(policies)
    return policies
  }

  /** Whether a policy may have counters for routes that this process has never seen. */
  #hasUnknownRoutes(policy: CompiledPolicy): boolean {
    return policy.isPerRoute && (this.#parts.store.isShared !== false || !policy.hasMetRoutes())
  }

  #noticePartial(kind: string, unreached: ReturnType<typeof unreachedOf>): void {
    const named = unreached.map(({ policy, reachedBy }) => `"${policy}" (reached by ${reachedBy})`)
    this.#parts.warn({
      code: 'HALT_W_RESET_PARTIAL',
      message: `reset(${kind}) leaves counters that count the same requests under other identities: ${named.join(', ')}.`,
      fix: 'Reset those as well, or call reset(request), which finds all of them.',
    })
  }
}

function countersFor(subject: string, policy: CompiledPolicy): RuledCounter[] {
  const whose = policy.keyStrategy === 'shared' ? SHARED : subject
  const { fair } = policy
  // A tenant's turn is reset, and not the counter of all tenants.
  const rules = fair === undefined ? policy.rules() : policy.rules().map(pool => fair.share(pool, subject))
  return rules.map(rule => ({ subject: whose, counter: rule.counter, rule }))
}

function failIfOnlyQuotas(policies: readonly CompiledPolicy[]): void {
  if (policies.length === 0 || policies.some(({ calendar }) => calendar === undefined)) return
  throw new HaltError(
    'HALT_E_POLICY',
    `reset() does not reset quotas, and "${policies[0]?.name}" is a quota.`,
    'Call resetQuota() of a QuotaManager.',
  )
}

function noPolicies(message: string): HaltError {
  return new HaltError('HALT_E_POLICY_REQUIRED', message, 'Give { policy }.')
}

function routesNotKnown({ name }: CompiledPolicy, count: number): HaltError {
  return new HaltError(
    'HALT_E_ROUTES_UNKNOWN',
    `"${name}" has a counter per route, and this process does not know the routes that it has not seen. The reset forgot ${count} counters.`,
    'Call reset(request) with a request of the route, or reset(decision).',
  )
}

// A copy of a decision is not a request, so it is refused as an invalid identity.
function isRequest(target: unknown): boolean {
  if (typeof target !== 'object' || target === null) return false
  return REQUEST_FIELDS.some(field => field in target)
}

const REQUEST_FIELDS = ['method', 'headers', 'socket', 'url', 'request', 'raw', 'req'] as const

/** The demands about the given policies by which a decision counted, without the demands of quotas. */
function demandsOf({ check }: CheckResult, policies: readonly CompiledPolicy[]): Demand[] {
  const names = new Set(policies.map(({ name }) => name))
  return check.policies.flatMap(({ name, calendar, fair }, at) => {
    if (calendar !== undefined || !names.has(name)) return []
    // The counter of all tenants is not this client's.
    const own = (demand: Demand): Demand => (fair === undefined ? demand : ofTenant(demand))
    return demandsAt(check, at).map(index => (index === at ? own(check.demands[at]!) : check.demands[index]!))
  })
}
