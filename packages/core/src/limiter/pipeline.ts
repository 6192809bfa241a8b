import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { readCharge, readDecision } from '../check/decision-reader.ts'
import type { CheckResult } from '../check/check-result.ts'
import { costFor } from '../policy/cost.ts'
import type { Decision } from '../check/decision.ts'
import { isPaid } from '../check/prior-guards.ts'
import type { ExemptionCheck } from './exemption-check.ts'
import type { KeyOutcome } from './key-resolver.ts'
import type { Charges } from './charges.ts'
import type { TelemetryReporter } from '../telemetry/reporter.ts'
import type { CompiledPenalty } from '../policy/penalty-config.ts'
import { isShadow, checkBuilder, routeOf } from '../check/check-builder.ts'
import type { Check } from '../check/check.ts'
import { type CheckParameters, PEEK } from '../check/check-options.ts'
import { Caller, findClient } from '../request/caller.ts'
import type { ClientAddress } from '../request/client-address.ts'
import type { CallerSettings } from '../request/caller-settings.ts'
import type { FoundKey, Subject } from '../request/subject.ts'
import type { RequestView } from '../request/view.ts'
import { ControlledPlans } from './controlled-plans.ts'
import { ControlledRequests } from './controlled-requests.ts'
import { keyOfIdentity, type Plan } from './plan.ts'
import type { RequestKeys } from './request-keys.ts'
import { Uncounted } from './uncounted.ts'
import type { GuardedStore } from '../resilience/guarded-store.ts'
import type { Leases } from '../lease/leases.ts'
import type { StoreClock } from '../store/store-clock.ts'
import type { Control } from '../control/control.ts'
import { listOf } from '../base/list.ts'
import { isPromise } from '../base/promises.ts'

/** The parts that a request passes through. */
export interface PipelineParts {
  readonly exemptionCheck: ExemptionCheck
  readonly requestKeys: RequestKeys
  readonly guardedStore: GuardedStore
  readonly leases: Leases
  /** Whether other processes count in the same store. */
  readonly isShared: boolean
  readonly charges: Charges
  readonly reporter: TelemetryReporter
  readonly penalty: CompiledPenalty | undefined
  readonly callers: CallerSettings
  /** The operators' entries; undefined if the limiter has no control. */
  readonly control: Pick<Control, 'state'> | undefined
}

/** The steps of one request: exemptions → keys → check → store → result → decision. Synchronous when all parts are. */
export class Pipeline {
  readonly #exemptionCheck: ExemptionCheck
  readonly #requestKeys: RequestKeys
  readonly #guardedStore: GuardedStore
  readonly #leases: Leases
  readonly #charges: Charges
  readonly #reporter: TelemetryReporter
  readonly #clock: StoreClock
  readonly #uncounted: Uncounted
  readonly #callers: CallerSettings
  readonly #control: Pick<Control, 'state'> | undefined
  readonly #controlled: ControlledRequests
  readonly #plans: ControlledPlans
  readonly #buildCheck: ReturnType<typeof checkBuilder>

  constructor({
    exemptionCheck,
    requestKeys,
    guardedStore,
    leases,
    isShared,
    charges,
    reporter,
    penalty,
    callers,
    control,
  }: PipelineParts) {
    this.#exemptionCheck = exemptionCheck
    this.#requestKeys = requestKeys
    this.#guardedStore = guardedStore
    this.#leases = leases
    this.#charges = charges
    this.#reporter = reporter
    this.#clock = guardedStore.clock
    this.#uncounted = new Uncounted(guardedStore, reporter, penalty)
    this.#callers = callers
    this.#control = control
    this.#controlled = new ControlledRequests({
      requestKeys,
      uncounted: this.#uncounted,
      callers,
      clock: guardedStore.clock,
      checkBy: this.#checkBy.bind(this),
      checkCounting: this.#checkCounting.bind(this),
    })
    this.#plans = new ControlledPlans(
      {
        hasPenalty: penalty !== undefined,
        scoresRefusals: penalty?.records === true,
        exemptPrivateIps: exemptionCheck.exemptPrivateIps,
        isShared,
      },
      control,
      guardedStore.clock,
    )
    this.#buildCheck = checkBuilder(penalty, callers.digest, guardedStore.clock, callers.warn)
  }

  /** Decides a request by policies. They are undefined when the resolver failed. */
  checkRequest(
    policies: readonly CompiledPolicy[] | undefined,
    view: RequestView,
    parameters: CheckParameters,
    ip?: string,
  ): Decision | Promise<Decision> {
    // Health checks come first, so that an orchestrator does not kill the process when policies are missing.
    if (this.#exemptionCheck.isHealthCheck(view))
      return this.#uncounted.allow(policies?.[0], this.callerOf(view, ip), parameters)
    if (policies === undefined)
      return this.#uncounted.refuse(undefined, this.callerOf(view, ip), 'policy-error', parameters)
    const state = this.#control?.state
    if (state !== undefined) return this.#controlled.check(state, policies, view, parameters, ip)
    return this.#checkBy(policies, view, parameters, ip)
  }

  /** Decides by policies, with the caller or the address of the request where one is known. */
  #checkBy(
    policies: readonly CompiledPolicy[],
    view: RequestView,
    parameters: CheckParameters,
    ip: string | undefined,
    known?: Caller,
    client?: ClientAddress,
  ): Decision | Promise<Decision> {
    const plan = this.#plans.of(policies)
    const address =
      plan.someByAddress && this.#exemptionCheck.isSettled
        ? this.#countedAddress(plan, client ?? known?.client ?? findClient(view, this.#callers, ip))
        : undefined
    const decision =
      address && this.#chargeAlone(this.#plans.forKey(plan, address), address.subject, parameters, view)
    if (decision !== undefined) return decision
    const caller = known ?? this.callerOf(view, ip)
    const keys: (KeyOutcome | Promise<KeyOutcome>)[] = listOf(policies.length)
    let allKeysKnown = true
    for (let i = 0; i < policies.length; i++) {
      const key = (keys[i] =
        address !== undefined && plan.byAddress[i] === true
          ? address
          : this.#requestKeys.find(policies[i] as CompiledPolicy, caller, parameters))
      if (typeof key === 'string' || 'then' in key) allKeysKnown = false
    }
    if (allKeysKnown) return this.#evaluate(plan, keys as FoundKey[], caller, parameters)
    if (!keys.some(isPromise)) return this.#checkCounting(policies, keys as KeyOutcome[], caller, parameters)
    return Promise.all(keys.map(async key => key)).then(known =>
      this.#checkCounting(policies, known, caller, parameters),
    )
  }

  /** Decides for a subject that the caller gave. */
  checkSubject(
    subject: Subject,
    given: readonly CompiledPolicy[],
    parameters: CheckParameters,
  ): Decision | Promise<Decision> {
    const state = this.#control?.state
    const entry = state?.accessOfSubject(subject, this.#clock)
    if (entry?.kind === 'allow') return this.#uncounted.allow(given[0], subject, parameters)
    if (entry !== undefined) return this.#uncounted.refuseBlocked(entry, given[0], subject, parameters)
    const policies = state === undefined ? given : state.changed(given, this.#clock)
    const common = this.#plans.of(policies)
    const plan = state === undefined ? common : this.#plans.forKey(common, { subject })
    const decision = this.#chargeAlone(plan, plan.shared ?? subject, parameters)
    if (decision !== undefined) return decision
    const { counting } = plan
    if (counting.length === 0) return this.#uncounted.allow(policies[0], subject, parameters)
    const keys = counting.map(policy => keyOfIdentity(subject, policy))
    return this.#evaluate(this.#plans.of(counting), keys, subject, parameters)
  }

  /** The client of a request. */
  callerOf(view: RequestView, ip?: string): Caller {
    return new Caller(view, this.#callers, ip)
  }

  /**
   * The key of an address that nothing can exempt from a policy that counts addresses alone. Returns undefined where the
   * exemptions must be asked: the address is private and may be exempt, or is unknown, or warnings are still to be decided.
   *
   * perf: bench "limiter.check(request)"; a test holds both ways equal.
   */
  #countedAddress(plan: Plan, { address, isPrivate, key }: ClientAddress): FoundKey | undefined {
    return address === undefined || (isPrivate && !plan.countsPrivate) ? undefined : key
  }

  /** Charges the counter of a plan that is one counter. Returns undefined where a whole check must decide. */
  #chargeAlone(
    { policies, lone, isByRoute, isLeased }: Plan,
    subject: Subject,
    parameters: CheckParameters,
    view?: RequestView,
  ): Decision | undefined {
    if (lone === undefined || parameters === PEEK) return undefined
    const { priorGuards, idempotencyKey, started, least, turn } = parameters
    if (priorGuards !== undefined || idempotencyKey || started !== undefined) return undefined
    if (least !== undefined || turn !== undefined) return undefined
    const only = policies[0] as CompiledPolicy
    const cost = costFor(only, parameters.cost)
    if (cost === 0) return undefined
    const rule = isByRoute && view !== undefined ? only.rule(routeOf(view, this.#callers.warn)) : lone
    const charged = (isLeased ? this.#leases : this.#guardedStore).charge(subject, rule, cost)
    return charged && readCharge(policies, charged, subject, cost)
  }

  /** Decides by the policies that count the request, and leaves out the others. */
  #checkCounting(
    policies: readonly CompiledPolicy[],
    keys: readonly KeyOutcome[],
    caller: Caller,
    parameters: CheckParameters,
  ): Decision | Promise<Decision> {
    // A shadow policy never refuses. Without a key it has no counter to report on either.
    const refusing = policies.find((policy, i) => keys[i] === 'deny' && !isShadow(policy, caller.ip.subject))
    if (refusing !== undefined) return this.#uncounted.refuseWithoutKey(refusing, caller, parameters)
    const isCounted = (_: CompiledPolicy, i: number): boolean => typeof keys[i] === 'object'
    const counting = policies.every(isCounted) ? policies : policies.filter(isCounted)
    if (counting.length === 0) return this.#uncounted.allow(policies[0], caller, parameters)
    const foundKeys = keys.filter(key => typeof key === 'object')
    return this.#evaluate(this.#plans.of(counting), foundKeys, caller, parameters)
  }

  #evaluate(
    given: Plan,
    keys: readonly FoundKey[],
    client: Caller | Subject,
    parameters: CheckParameters,
  ): Decision | Promise<Decision> {
    const plan = this.#plans.forKeys(given, keys)
    const first = keys[0] as FoundKey
    // All unverified keys of an address have a second counter.
    const decision = first.unverified
      ? undefined
      : this.#chargeAlone(plan, first.subject, parameters, viewOf(client))
    if (decision !== undefined) return decision
    const { priorGuards } = parameters
    const built = this.#buildCheck(plan.policies, keys, client, parameters)
    if (priorGuards !== undefined && isPaid(built, priorGuards)) {
      const before = priorGuards.decisions.find(({ allowed }) => allowed)
      if (before !== undefined) return before
    }
    const check = parameters.turn === undefined ? built : parameters.turn.before(built, client)
    // Others ask first.
    if ('then' in check) return check.then(() => this.#evaluate(plan, keys, client, parameters))
    const store = plan.isLeased ? this.#leases : this.#guardedStore
    const result = store.evaluate(check, priorGuards?.storeFailed)
    if (!('then' in result)) return this.#finish(result, check, client, parameters)
    return result.then(settled => this.#finish(settled, check, client, parameters))
  }

  #finish(
    result: CheckResult,
    check: Check,
    client: Caller | Subject,
    parameters: CheckParameters,
  ): Decision {
    const decision = readDecision(result, check, this.#clock)
    if (parameters === PEEK || (parameters.turn !== undefined && asksAgain(result))) return decision
    const evaluation = result.degraded === false ? result.evaluation : undefined
    if (result.late !== undefined) this.#charges.awaitLateReply(decision, result.late)
    this.#charges.hold(decision, check)
    this.#reporter.decided(decision, check, evaluation, viewOf(client), parameters.started)
    return decision
  }
}

function viewOf(client: Caller | Subject): RequestView | undefined {
  return typeof client === 'string' ? undefined : client.view
}

/** Whether a caller that waits was not admitted yet. That is no refusal, so nobody is told of it. */
function asksAgain({ evaluation }: CheckResult): boolean {
  return evaluation.startsIn !== undefined && !evaluation.allowed
}
