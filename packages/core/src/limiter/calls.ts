import type { Decision } from '../check/decision.ts'
import type { Cost } from '../policy/cost.ts'
import { Call, type CallParts } from './call.ts'
import type { Endings } from './endings.ts'
import { HoldKeeper } from './hold-keeper.ts'
import type { Reservation } from './reservation.ts'

/** The parts of a limiter of which its calls are made. */
export interface CallsParts extends Omit<CallParts, 'keeper'> {
  readonly endings: Endings
}

/**
 * The calls that a limiter reserves, and the keeper of the units that they hold. A file of its own with all that only calls need: a
 * limiter loads it when it reserves for the first time, and most limiters never do.
 */
export class Calls {
  readonly #parts: CallParts

  constructor({ endings, ...parts }: CallsParts) {
    const keeper = new HoldKeeper(parts.evaluator, parts.warn)
    endings.add(async () => keeper.close())
    this.#parts = { ...parts, keeper }
  }

  /** Makes the call of a decision. */
  open(decision: Decision, cost: unknown, chunk: Cost | undefined): Reservation {
    return new Call(decision, cost, chunk, this.#parts)
  }
}
