import { violationCheck } from '../check/check-builder.ts'
import type { Ask } from '../check/check-options.ts'
import type { CheckResult } from '../check/check-result.ts'
import type { Decision } from '../check/decision.ts'
import { allowUncounted, refusal, uncounted } from '../check/uncounted-decision.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { costFor } from '../policy/cost.ts'
import type { CompiledPenalty } from '../policy/penalty-config.ts'
import { type ControlEntry, isNetwork } from '../policy/control-entry.ts'
import type { Caller } from '../request/caller.ts'
import type { Subject } from '../request/subject.ts'
import type { Evaluator } from '../check/evaluator.ts'
import type { Witness } from '../charge/wings.ts'

/** The decisions of requests that no counter decides, because they are exempt or have no key or no policy. */
export class UncountedDecisions {
  readonly #evaluator: Evaluator
  readonly #witness: Witness | undefined
  readonly #penalty: CompiledPenalty | undefined

  constructor(evaluator: Evaluator, witness: Witness | undefined, penalty: CompiledPenalty | undefined) {
    this.#evaluator = evaluator
    this.#witness = witness
    this.#penalty = penalty
  }

  /** Allows an exempt request or identity. */
  allow(policy: CompiledPolicy | undefined, client: Caller | Subject, ask: Ask): Decision {
    const [key, view] = typeof client === 'string' ? [client] : [client.ip.subject, client.view]
    const decision = allowUncounted(uncounted(policy, key, 0), this.#evaluator.clock.now())
    if (ask.mode !== 'peek') this.#witness?.exempt(decision, policy, view, ask.started)
    return decision
  }

  /** Refuses a client that an operator has blocked. */
  refuseBlocked(
    { target = '', until }: ControlEntry,
    policy: CompiledPolicy | undefined,
    client: Caller | Subject,
    ask: Ask,
  ): Decision {
    const now = this.#evaluator.clock.now()
    const units = policy === undefined ? 1 : costFor(policy, ask.cost)
    // A client sees its own key, not the network that is blocked.
    const key = typeof client !== 'string' && isNetwork(target) ? client.ip.subject : target
    const known = uncounted(policy, key, units)
    const wait = until === undefined ? Number.POSITIVE_INFINITY : Math.max(0, until - now) / 1000
    const decision = refusal('blocked', known, now, false, wait)
    const view = typeof client === 'string' ? undefined : client.view
    if (ask.mode !== 'peek') this.#witness?.refused(decision, policy, view, ask.started)
    return decision
  }

  /** Refuses a request that has no policy, or, as a part of {@link refuseWithoutKey}, no key. */
  refuse(
    policy: CompiledPolicy | undefined,
    caller: Caller,
    reason: 'missing-key' | 'policy-error',
    ask: Ask,
  ): Decision {
    const units = policy === undefined ? 1 : costFor(policy, ask.cost)
    const known = uncounted(policy, caller.ip.subject, units)
    const wait = reason === 'policy-error' ? 1 : 0
    const decision = refusal(reason, known, this.#evaluator.clock.now(), false, wait)
    if (ask.mode !== 'peek') this.#witness?.refused(decision, policy, caller.view, ask.started)
    return decision
  }

  /** Refuses a request because it has no key. Like any refusal it scores a violation. */
  refuseWithoutKey(policy: CompiledPolicy, caller: Caller, ask: Ask): Decision | Promise<Decision> {
    const decision = this.refuse(policy, caller, 'missing-key', ask)
    // A client that departed early is not an attacker by that alone.
    if (this.#penalty?.records !== true || ask.mode === 'peek' || caller.lostAddress) return decision
    const violation = violationCheck(this.#penalty, caller)
    const scored = this.#evaluator.evaluate(violation, ask.priorGuards?.storeFailed)
    const report = (result: CheckResult): Decision => {
      if (result.degraded === false) this.#witness?.scored(violation, result.evaluation)
      return decision
    }
    return 'then' in scored ? scored.then(report) : report(scored)
  }
}
