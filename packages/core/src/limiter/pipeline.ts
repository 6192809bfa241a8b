import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { readCharge, readDecision } from '../check/decision-reader.ts'
import type { CheckResult } from '../check/check-result.ts'
import { costFor } from '../policy/cost.ts'
import type { Decision } from '../check/decision.ts'
import { isPaid } from '../check/prior-guards.ts'
import { type ExemptionCheck, UncountedDecisions } from './uncounted-decisions.ts'
import type { KeyOutcome, RequestKeys } from './key-resolver.ts'
import type { Charges } from '../charge/charges.ts'
import type { CompiledPenalty } from '../policy/penalty-config.ts'
import { isShadow, checkBuilder, routeOf } from '../check/check-builder.ts'
import type { Check } from '../check/check.ts'
import type { Ask } from '../check/check-options.ts'
import { Caller, type CallerSettings, findClient } from '../request/caller.ts'
import type { ClientAddress } from '../request/client-ip.ts'
import type { FoundKey, Subject } from '../request/identity.ts'
import type { RequestView } from '../request/view.ts'
import type { ControlEntry } from '../policy/control-entry.ts'
import type { Gate, GateSource, Passage } from './gate.ts'
import type { Adviser } from '../charge/adviser.ts'
import { keyOfIdentity, type Plan, Plans } from './plan.ts'
import type { LeaseEvaluator, Witness } from '../charge/wings.ts'
import type { Evaluator } from '../check/evaluator.ts'
import type { StoreClock } from '../store/store-clock.ts'
import { listOf } from '../base/bounded-memory.ts'
import { isPromise } from '../base/promises.ts'

/** The parts that a request passes through. */
export interface PipelineParts {
  readonly exemptionCheck: ExemptionCheck
  readonly requestKeys: RequestKeys
  readonly evaluator: Evaluator
  readonly leases: LeaseEvaluator | undefined
  /** Whether other processes count in the same store. */
  readonly isShared: boolean
  readonly charges: Charges
  readonly witness: Witness | undefined
  readonly adviser: Adviser | undefined
  readonly penalty: CompiledPenalty | undefined
  readonly callers: CallerSettings
  /** What operators have set; undefined if the limiter has no control. */
  readonly control: GateSource | undefined
}

/** The steps of one request: exemptions → keys → check → store → result → decision. Synchronous when all parts are. */
export class Pipeline {
  readonly #parts: PipelineParts
  readonly #clock: StoreClock
  readonly #uncounted: UncountedDecisions
  readonly #plans: Plans
  readonly #alone = new WeakMap<CompiledPolicy, readonly CompiledPolicy[]>()
  readonly #buildCheck: ReturnType<typeof checkBuilder>
  /** What operators have set; undefined if the limiter has no control. */
  readonly gate: Gate | undefined

  constructor(parts: PipelineParts) {
    const { requestKeys, evaluator, witness, penalty, callers, exemptionCheck, isShared } = parts
    const { clock } = evaluator
    this.#parts = parts
    this.#clock = clock
    this.#uncounted = new UncountedDecisions(evaluator, witness, penalty)
    this.#plans = new Plans({
      hasPenalty: penalty !== undefined,
      scoresRefusals: penalty?.records === true,
      exemptPrivateIps: exemptionCheck.exemptPrivateIps,
      isShared,
      noticeUse: parts.adviser?.noticeUse,
    })
    this.#buildCheck = checkBuilder(penalty, callers.digest, clock, callers.warn)
    this.gate = parts.control?.gate({ requestKeys, callers, clock, plans: this.#plans })
  }

  /** Decides a request by policies. They are undefined when the resolver failed. */
  checkRequest(
    policies: readonly CompiledPolicy[] | undefined,
    view: RequestView,
    ask: Ask,
  ): Decision | Promise<Decision> {
    // Health checks come first, so that an orchestrator does not kill the process when policies are missing.
    if (this.#parts.exemptionCheck.isHealthCheck(view))
      return this.#uncounted.allow(policies?.[0], this.callerOf(view, ask.ip), ask)
    if (policies === undefined)
      return this.#uncounted.refuse(undefined, this.callerOf(view, ask.ip), 'policy-error', ask)
    if (this.gate === undefined) return this.#findKeys(policies, view, ask)
    const passage = this.gate.pass(policies, view, ask)
    if ('then' in passage) return passage.then(found => this.#afterGate(found, view, ask))
    return this.#afterGate(passage, view, ask)
  }

  /** Decides a request of which the gate has spoken. */
  #afterGate(passage: Passage, view: RequestView, ask: Ask): Decision | Promise<Decision> {
    const { entry, isLost, policies, client, keys } = passage
    if (entry === undefined && isLost !== true && keys === undefined)
      return this.#findKeys(policies, view, ask, passage.caller, client)
    const caller = passage.caller ?? this.callerOf(view, ask.ip)
    if (isLost === true) return this.#uncounted.refuse(policies[0], caller, 'missing-key', ask)
    if (entry !== undefined) return this.#obey(entry, policies[0], caller, ask)
    return this.#dropUnkeyed(policies, keys ?? [], caller, ask)
  }

  /** Refuses a client that an operator has blocked, or lets it pass uncounted. */
  #obey(
    entry: ControlEntry,
    policy: CompiledPolicy | undefined,
    client: Caller | Subject,
    ask: Ask,
  ): Decision {
    return entry.kind === 'allow'
      ? this.#uncounted.allow(policy, client, ask)
      : this.#uncounted.refuseBlocked(entry, policy, client, ask)
  }

  /** Decides by policies, with the caller or the address of the request where one is known. */
  #findKeys(
    policies: readonly CompiledPolicy[],
    view: RequestView,
    ask: Ask,
    known?: Caller,
    client?: ClientAddress,
  ): Decision | Promise<Decision> {
    const plan = this.#plans.of(policies)
    const address =
      plan.someByAddress && this.#parts.exemptionCheck.isSettled
        ? this.#countedAddress(plan, client ?? known?.client ?? findClient(view, this.#parts.callers, ask.ip))
        : undefined
    const own = this.gate === undefined || address === undefined ? plan : this.gate.planForKey(plan, address)
    const decision = address && this.#chargeAlone(own, address.subject, ask, view)
    if (decision !== undefined) return decision
    const caller = known ?? this.callerOf(view, ask.ip)
    const keys: (KeyOutcome | Promise<KeyOutcome>)[] = listOf(policies.length)
    let allKeysKnown = true
    for (let i = 0; i < policies.length; i++) {
      const key = (keys[i] =
        address !== undefined && plan.byAddress[i] === true
          ? address
          : this.#parts.requestKeys.find(policies[i] as CompiledPolicy, caller, ask))
      if (typeof key === 'string' || 'then' in key) allKeysKnown = false
    }
    if (allKeysKnown) return this.#askStore(plan, keys as FoundKey[], caller, ask)
    if (!keys.some(isPromise)) return this.#dropUnkeyed(policies, keys as KeyOutcome[], caller, ask)
    return Promise.all(keys.map(async key => key)).then(known =>
      this.#dropUnkeyed(policies, known, caller, ask),
    )
  }

  /** Decides for a subject that the caller gave. */
  checkSubject(subject: Subject, given: readonly CompiledPolicy[], ask: Ask): Decision | Promise<Decision> {
    const { entry, policies: found }: Passage = this.gate?.passSubject(given, subject, ask) ?? {
      policies: given,
    }
    if (entry !== undefined) return this.#obey(entry, found[0], subject, ask)
    const common = this.#plans.of(found)
    const plan = this.gate === undefined ? common : this.gate.planForKey(common, { subject })
    const decision = this.#chargeAlone(plan, plan.shared ?? subject, ask)
    if (decision !== undefined) return decision
    const { counting } = plan
    if (counting.length === 0) return this.#uncounted.allow(found[0], subject, ask)
    const keys = counting.map(policy => keyOfIdentity(subject, policy))
    return this.#askStore(this.#plans.of(counting), keys, subject, ask)
  }

  /** A policy with the numbers that operators have set for a subject now. */
  policyNow(policy: CompiledPolicy, subject: Subject): CompiledPolicy {
    if (this.gate === undefined) return policy
    let alone = this.#alone.get(policy)
    if (alone === undefined) this.#alone.set(policy, (alone = [policy]))
    return this.gate.numbered(alone, [keyOfIdentity(subject, policy)])[0] ?? policy
  }

  /** The client of a request. */
  callerOf(view: RequestView, ip?: string): Caller {
    return new Caller(view, this.#parts.callers, ip)
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
    ask: Ask,
    view?: RequestView,
  ): Decision | undefined {
    if (lone === undefined || ask.mode === 'peek') return undefined
    const { priorGuards, idempotencyKey, started, least, queued } = ask
    if (priorGuards !== undefined || idempotencyKey || started !== undefined) return undefined
    if (least !== undefined || queued !== undefined) return undefined
    const only = policies[0] as CompiledPolicy
    const cost = costFor(only, ask.cost)
    if (cost === 0) return undefined
    const { leases, evaluator, callers } = this.#parts
    const rule = isByRoute && view !== undefined ? only.rule(routeOf(view, callers.warn)) : lone
    const charged = (isLeased && leases !== undefined ? leases : evaluator).charge(subject, rule, cost)
    return charged && readCharge(policies, charged, subject, cost)
  }

  /** Decides by the policies that count the request, and leaves out the others. */
  #dropUnkeyed(
    policies: readonly CompiledPolicy[],
    keys: readonly KeyOutcome[],
    caller: Caller,
    ask: Ask,
  ): Decision | Promise<Decision> {
    // A shadow policy never refuses. Without a key it has no counter to report on either.
    const refusing = policies.find((policy, i) => keys[i] === 'deny' && !isShadow(policy, caller.ip.subject))
    if (refusing !== undefined) return this.#uncounted.refuseWithoutKey(refusing, caller, ask)
    const isCounted = (_: CompiledPolicy, i: number): boolean => typeof keys[i] === 'object'
    const counting = policies.every(isCounted) ? policies : policies.filter(isCounted)
    if (counting.length === 0) return this.#uncounted.allow(policies[0], caller, ask)
    const foundKeys = keys.filter(key => typeof key === 'object')
    return this.#askStore(this.#plans.of(counting), foundKeys, caller, ask)
  }

  #askStore(
    given: Plan,
    keys: readonly FoundKey[],
    client: Caller | Subject,
    ask: Ask,
  ): Decision | Promise<Decision> {
    const plan = this.gate === undefined ? given : this.gate.planForKeys(given, keys)
    const first = keys[0] as FoundKey
    // All unverified keys of an address have a second counter.
    const decision = first.unverified
      ? undefined
      : this.#chargeAlone(plan, first.subject, ask, viewOf(client))
    if (decision !== undefined) return decision
    const { priorGuards } = ask
    const built = this.#buildCheck(plan.policies, keys, client, ask)
    if (priorGuards !== undefined && isPaid(built, priorGuards)) {
      const before = priorGuards.decisions.find(({ allowed }) => allowed)
      if (before !== undefined) return before
    }
    const check = ask.queued === undefined ? built : ask.queued.before(built, client)
    // Others ask first.
    if ('then' in check) return check.then(() => this.#askStore(plan, keys, client, ask))
    const { leases, evaluator } = this.#parts
    const store = plan.isLeased && leases !== undefined ? leases : evaluator
    const result = store.evaluate(check, priorGuards?.storeFailed)
    if (!('then' in result)) return this.#finish(result, check, client, ask)
    return result.then(settled => this.#finish(settled, check, client, ask))
  }

  #finish(result: CheckResult, check: Check, client: Caller | Subject, ask: Ask): Decision {
    const decision = readDecision(result, check, this.#clock)
    if (ask.mode === 'peek' || (ask.queued !== undefined && asksAgain(result))) return decision
    const evaluation = result.degraded === false ? result.evaluation : undefined
    if (result.late !== undefined) this.#parts.charges.awaitLateReply(decision, result.late)
    this.#parts.charges.hold(decision, check)
    this.#parts.witness?.decided(decision, check, evaluation, viewOf(client), ask.started)
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
