import type { Decision } from '../check/decision.ts'
import type { Cost } from '../policy/cost.ts'
import type { Holding } from '../check/holding.ts'
import type { Rule } from '../algorithms/index.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Subject } from '../request/subject.ts'
import { Call, type CallParts } from './call.ts'
import type { Endings } from './endings.ts'
import { HoldKeeper } from './hold-keeper.ts'
import type { Reservation } from './reservation.ts'

/** The parts of a limiter of which its calls are made. */
export interface CallsParts extends Omit<CallParts, 'keeper' | 'ruleOf'> {
  readonly endings: Endings
  /** A policy with the numbers that hold for a subject now. */
  readonly policyNow: (policy: CompiledPolicy, subject: Subject) => CompiledPolicy
}

/**
 * The calls that a limiter reserves, and the keeper of the units that they hold. A file of its own with all that only calls need: a
 * limiter loads it when it reserves for the first time, and most limiters never do.
 */
export class Calls {
  readonly #parts: CallParts

  constructor({ endings, policyNow, ...parts }: CallsParts) {
    // Operators may have changed the numbers while a call runs.
    const ruleOf = ({ policy, demand }: Holding): Rule => {
      const rule = policyNow(policy, demand.subject).rule(undefined)
      return rule.counter === demand.rule.counter ? rule : demand.rule
    }
    const keeper = new HoldKeeper(parts.evaluator, parts.warn, ruleOf)
    // Callers whose turns still come hold their units.
    endings.add(async () => keeper.close(), true)
    this.#parts = { ...parts, keeper, ruleOf }
  }

  /** Makes the call of a decision. */
  open(decision: Decision, cost: unknown, chunk: Cost | undefined): Reservation {
    return new Call(decision, cost, chunk, this.#parts)
  }
}
