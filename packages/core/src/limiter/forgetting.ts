import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { CheckResult } from '../check/check-result.ts'
import { Decision } from '../check/decision.ts'
import { HaltError } from '../base/errors.ts'
import type { Warn } from '../base/warnings.ts'
import type { Charges } from './charges.ts'
import { type Looks, notCounted, refuseDegraded } from './looks.ts'
import type { PolicySource } from './policy-source.ts'
import { countsBy, inBraces, unreachedOf } from '../policy/reachability.ts'
import { type Identity, isIdentity, kindOf } from '../request/identity.ts'
import { SHARED } from '../request/subject.ts'
import { countersOf } from '../check/correction.ts'
import type { CounterId, Store } from '../store/contract.ts'

/** What a reset needs of its limiter. */
export interface ForgettingParts {
  readonly store: Store
  readonly policies: PolicySource
  readonly looks: Looks
  readonly charges: Charges
  readonly warn: Warn
}

/** Forgets the counters of an identity, of a request, or of a decision; never quotas or penalties. */
export class Forgetting {
  readonly #store: Store
  readonly #policies: PolicySource
  readonly #looks: Looks
  readonly #charges: Charges
  readonly #warn: Warn

  constructor({ store, policies, looks, charges, warn }: ForgettingParts) {
    this.#store = store
    this.#policies = policies
    this.#looks = looks
    this.#charges = charges
    this.#warn = warn
  }

  /** Resolves to how many counters were forgotten. */
  async forget(target: unknown, given: unknown): Promise<number> {
    const record = Decision.recordOf(target)
    if (record !== undefined) return this.#forgetCounted(record.result, this.#chosen(given))
    if (!isIdentity(target) && isRequest(target)) return this.#forgetRequest(target, given)
    return this.#forgetIdentity(target as Identity, this.#chosen(given))
  }

  async #forgetRequest(request: unknown, given: unknown): Promise<number> {
    const options = given === undefined ? {} : { policy: given as never }
    const { decision, policies } = await this.#looks.ofRequest(request, options)
    if (policies === undefined) throw noPolicies('The policy resolver failed.')
    refuseQuotas(policies)
    refuseDegraded(decision)
    return this.#forgetCounted(Decision.recordOf(decision)?.result, policies)
  }

  async #forgetCounted(
    result: CheckResult | undefined,
    policies: readonly CompiledPolicy[],
  ): Promise<number> {
    return result === undefined ? 0 : this.#charges.forget(countersOf(result, policies))
  }

  async #forgetIdentity(identity: Identity, policies: readonly CompiledPolicy[]): Promise<number> {
    const subject = this.#looks.subjectOf(identity)
    const kind = kindOf(identity)
    const counting = policies.filter(({ calendar }) => calendar === undefined)
    // Under a policy that counts no requests by it, `consume` may have charged the identity.
    const count = await this.#charges.forget(counting.flatMap(policy => countersFor(subject, policy)))
    const reached = counting.filter(policy => countsBy(policy, kind, counting))
    const unreached = unreachedOf(kind, counting, reached, this.#looks.verifiesKeys)
    if (reached.length === 0 && count === 0) throw notCounted(kind, unreached)
    const unnamed = reached.find(policy => this.#hasUnknownRoutes(policy))
    if (unnamed !== undefined) throw routesNotKnown(unnamed, count)
    if (unreached.length > 0) this.#noticePartial(inBraces(kind), unreached)
    return count
  }

  #chosen(given: unknown): readonly CompiledPolicy[] {
    const policies =
      given === undefined ? [...this.#policies.known()] : this.#policies.compile(given as never)
    if (policies.length === 0)
      throw noPolicies('The policies come from a resolver, which has given none yet.')
    refuseQuotas(policies)
    return policies
  }

  /** Whether a policy may have counters of routes that this process has never met. */
  #hasUnknownRoutes(policy: CompiledPolicy): boolean {
    return policy.isPerRoute && (this.#store.isShared !== false || !policy.hasMetRoutes())
  }

  #noticePartial(kind: string, unreached: ReturnType<typeof unreachedOf>): void {
    const named = unreached.map(({ policy, reachedBy }) => `"${policy}" (reached by ${reachedBy})`)
    this.#warn({
      code: 'HALT_W_RESET_PARTIAL',
      message: `reset(${kind}) leaves counters on which requests are counted otherwise: ${named.join(', ')}.`,
      fix: 'Reset those too, or call reset(request), which finds them all.',
    })
  }
}

function countersFor(subject: string, policy: CompiledPolicy): CounterId[] {
  const whose = policy.keyStrategy === 'shared' ? SHARED : subject
  return policy.counters().map(counter => ({ subject: whose, counter }))
}

function refuseQuotas(policies: readonly CompiledPolicy[]): void {
  if (policies.length === 0 || policies.some(({ calendar }) => calendar === undefined)) return
  throw new HaltError(
    'HALT_E_POLICY',
    `reset forgets no quotas, and "${policies[0]?.name}" is one.`,
    'Call resetQuota of a QuotaManager.',
  )
}

function noPolicies(message: string): HaltError {
  return new HaltError('HALT_E_POLICY_REQUIRED', message, 'Give { policy }.')
}

function routesNotKnown({ name }: CompiledPolicy, count: number): HaltError {
  return new HaltError(
    'HALT_E_ROUTES_UNKNOWN',
    `"${name}" has a counter for each route, and this process cannot name those of routes that it has not met. The reset forgot ${count} counters.`,
    'Call reset(request) with a request of the route, or reset(decision).',
  )
}

// A copy of a decision is neither: it is refused as an identity that names nobody.
function isRequest(target: unknown): boolean {
  if (typeof target !== 'object' || target === null) return false
  return REQUEST_FIELDS.some(field => field in target)
}

const REQUEST_FIELDS = ['method', 'headers', 'socket', 'url', 'request', 'raw', 'req'] as const
