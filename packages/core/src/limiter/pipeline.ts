import { pass, refusal, type Uncounted } from '../check/uncounted-decision.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { readDecision } from '../check/decision-reader.ts'
import type { CheckResult } from '../check/check-result.ts'
import { costFor } from '../policy/cost.ts'
import type { Decision } from '../check/decision.ts'
import type { Digest } from '../base/digest.ts'
import { isPaid } from '../check/prior-guards.ts'
import type { Warn } from '../base/warnings.ts'
import type { ExemptionCheck } from './exemption-check.ts'
import type { KeyOutcome, KeyResolver } from './key-resolver.ts'
import type { Charges } from './charges.ts'
import type { TelemetryReporter } from '../telemetry/reporter.ts'
import type { CompiledPenalty } from '../policy/penalty-config.ts'
import { isShadow, offenceOf, checkBuilder } from '../check/check-builder.ts'
import type { Check } from '../check/check.ts'
import { type CheckParameters, PEEK } from '../check/check-options.ts'
import type { Caller } from '../request/caller.ts'
import { type FoundKey, SHARED, type Subject } from '../request/subject.ts'
import type { GuardedStore } from '../resilience/guarded-store.ts'
import type { StoreClock } from '../store/store-clock.ts'
import { listOf } from '../base/list.ts'
import { isPromise } from '../base/promises.ts'

/** The rooms a request passes through. */
export interface PipelineParts {
  readonly exemptionCheck: ExemptionCheck
  readonly keyResolver: KeyResolver
  readonly guardedStore: GuardedStore
  readonly charges: Charges
  readonly reporter: TelemetryReporter
  readonly penalty: CompiledPenalty | undefined
  readonly digest: Digest
  readonly warn: Warn
}

/** The way of one request: exemptions → keys → demands → store → verdicts → decision. Synchronous where all rooms are. */
export class Pipeline {
  readonly #exemptionCheck: ExemptionCheck
  readonly #keyResolver: KeyResolver
  readonly #guardedStore: GuardedStore
  readonly #charges: Charges
  readonly #reporter: TelemetryReporter
  readonly #clock: StoreClock
  readonly #penalty: CompiledPenalty | undefined
  readonly #ask: ReturnType<typeof checkBuilder>

  constructor({
    exemptionCheck,
    keyResolver,
    guardedStore,
    charges,
    reporter,
    penalty,
    digest,
    warn,
  }: PipelineParts) {
    this.#exemptionCheck = exemptionCheck
    this.#keyResolver = keyResolver
    this.#guardedStore = guardedStore
    this.#charges = charges
    this.#reporter = reporter
    this.#clock = guardedStore.clock
    this.#penalty = penalty
    this.#ask = checkBuilder(penalty, digest, guardedStore.clock, warn)
  }

  /** Decides a request by policies; `undefined` when those could not be found. */
  checkRequest(
    policies: readonly CompiledPolicy[] | undefined,
    caller: Caller,
    asked: CheckParameters,
  ): Decision | Promise<Decision> {
    // First, so that no orchestrator ends the process for want of policies.
    if (this.#exemptionCheck.isHealthCheck(caller.view.method, caller.view.path))
      return this.#exempt(policies?.[0], caller, asked)
    if (policies === undefined) return this.#refuse(undefined, caller, 'policy-error', asked)
    const keys: (KeyOutcome | Promise<KeyOutcome>)[] = listOf(policies.length)
    let isFound = true
    for (let i = 0; i < policies.length; i++) {
      const key = (keys[i] = this.#keyOf(policies[i] as CompiledPolicy, caller, asked))
      if (typeof key === 'string' || 'then' in key) isFound = false
    }
    if (isFound) return this.#judgeAll(policies, keys as FoundKey[], caller, asked)
    if (!keys.some(isPromise)) return this.#sift(policies, keys as KeyOutcome[], caller, asked)
    return Promise.all(keys.map(async key => key)).then(found => this.#sift(policies, found, caller, asked))
  }

  /** Decides for a subject that is given, not found. */
  checkSubject(
    subject: Subject,
    policies: readonly CompiledPolicy[],
    asked: CheckParameters,
  ): Decision | Promise<Decision> {
    const counting = policies.filter(({ off }) => !off)
    if (counting.length === 0) return pass(uncounted(policies[0], subject, 0), this.#clock.now())
    const keys = counting.map(({ keyStrategy }) => ({
      subject: keyStrategy === 'shared' ? SHARED : subject,
      how: 'the given identity',
      unverified: false,
    }))
    return this.#judgeAll(counting, keys, subject, asked)
  }

  #keyOf(policy: CompiledPolicy, caller: Caller, asked: CheckParameters): KeyOutcome | Promise<KeyOutcome> {
    if (policy.off) return 'allow'
    const isExempt =
      asked === PEEK
        ? this.#exemptionCheck.reason(policy, caller) !== undefined
        : this.#exemptionCheck.exempts(policy, caller)
    return isExempt ? 'allow' : this.#keyResolver.find(policy, caller)
  }

  /** Leaves out the policies that do not count the request, and asks the rest. */
  #sift(
    policies: readonly CompiledPolicy[],
    keys: readonly KeyOutcome[],
    caller: Caller,
    asked: CheckParameters,
  ): Decision | Promise<Decision> {
    // Who only reports refuses nobody, and has no counter to report of.
    const refusing = policies.find((policy, i) => keys[i] === 'deny' && !isShadow(policy, caller.ip.subject))
    if (refusing !== undefined) return this.#deny(refusing, caller, asked)
    const counting = policies.filter((_, i) => typeof keys[i] === 'object')
    if (counting.length === 0) return this.#exempt(policies[0], caller, asked)
    const found = keys.filter(key => typeof key === 'object')
    return this.#judgeAll(counting, found, caller, asked)
  }

  #judgeAll(
    policies: readonly CompiledPolicy[],
    keys: readonly FoundKey[],
    who: Caller | Subject,
    asked: CheckParameters,
  ): Decision | Promise<Decision> {
    const { priorGuards } = asked
    const check = this.#ask(policies, keys, who, asked)
    if (priorGuards !== undefined && isPaid(check, priorGuards)) {
      const before = priorGuards.decisions.find(({ allowed }) => allowed)
      if (before !== undefined) return before
    }
    const result = this.#guardedStore.evaluate(check, priorGuards?.storeFailed)
    if (!('then' in result)) return this.#conclude(result, check, who, asked)
    return result.then(found => this.#conclude(found, check, who, asked))
  }

  #conclude(result: CheckResult, check: Check, who: Caller | Subject, asked: CheckParameters): Decision {
    const decision = readDecision(result, check, this.#clock)
    if (asked === PEEK) return decision
    const evaluation = result.degraded === false ? result.evaluation : undefined
    if (result.late !== undefined) this.#charges.watch(decision, result.late)
    this.#charges.hold(decision, check)
    const view = typeof who === 'string' ? undefined : who.view
    this.#reporter.decided(decision, check, evaluation, view, asked.started)
    return decision
  }

  /** Refuses for want of a key: a refusal like any other, so it scores. */
  #deny(policy: CompiledPolicy, caller: Caller, asked: CheckParameters): Decision | Promise<Decision> {
    const decision = this.#refuse(policy, caller, 'missing-key', asked)
    if (this.#penalty?.records !== true || asked === PEEK) return decision
    const offence = offenceOf(policy, this.#penalty, caller)
    const scored = this.#guardedStore.evaluate(offence, asked.priorGuards?.storeFailed)
    const tell = (result: CheckResult): Decision => {
      if (result.degraded === false) this.#reporter.scored(offence, result.evaluation)
      return decision
    }
    return 'then' in scored ? scored.then(tell) : tell(scored)
  }

  #exempt(policy: CompiledPolicy | undefined, caller: Caller, asked: CheckParameters): Decision {
    const decision = pass(uncounted(policy, caller.ip.subject, 0), this.#clock.now())
    if (asked !== PEEK) this.#reporter.exempt(decision, policy, caller.view, asked.started)
    return decision
  }

  #refuse(
    policy: CompiledPolicy | undefined,
    caller: Caller,
    reason: 'missing-key' | 'policy-error',
    asked: CheckParameters,
  ): Decision {
    const units = policy === undefined ? 1 : costFor(policy, asked.cost)
    const known = uncounted(policy, caller.ip.subject, units)
    const decision = refusal(reason, known, this.#clock.now(), false, reason === 'policy-error' ? 1 : 0)
    if (asked !== PEEK) this.#reporter.refused(decision, policy, caller.view, asked.started)
    return decision
  }
}

function uncounted(policy: CompiledPolicy | undefined, key: Subject, cost: number): Uncounted {
  return { policy: policy?.name ?? '', limit: policy?.limit ?? 0, key, cost }
}
