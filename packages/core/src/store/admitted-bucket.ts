import type { Rule, State } from '../algorithms/index.ts'
import { type Demand, type Evaluation, type Group, Mode } from './contract.ts'

/**
 * The evaluation of a token bucket that a store decided alone, admitted and charged: its debt tells everything else, which is
 * made when somebody reads it. The most common evaluation by far.
 */
export class AdmittedBucket implements Evaluation {
  readonly now: number
  readonly debt: number
  readonly rule: Rule

  /**
   * @param now the store's clock at the decision, in microseconds
   * @param debt the debt after the charge, in the terms of `rule`
   */
  constructor(now: number, debt: number, rule: Rule) {
    this.now = now
    this.debt = debt
    this.rule = rule
  }

  get allowed(): boolean {
    return true
  }

  get repeated(): boolean {
    return false
  }

  get passes(): readonly boolean[] {
    return YES
  }

  get starts(): readonly boolean[] {
    return NOTHING
  }

  get states(): readonly State[] {
    return [[0, this.now, this.debt, this.rule.unit, this.rule.rate]]
  }

  get penalty(): State {
    return NONE
  }
}

/** The demand of a group that is one charge to one token bucket; undefined for any other group. */
export function loneBucket({ demands, penalty, idempotency }: Group): Demand | undefined {
  const demand = demands[0]
  return demands.length === 1 &&
    demand !== undefined &&
    demand.mode === Mode.CHARGE &&
    demand.rule.code === 't' &&
    demand.cost > 0 &&
    penalty === undefined &&
    idempotency === undefined
    ? demand
    : undefined
}

// Shared by all evaluations, so they are never written.
const NONE: State = Object.freeze([]) as unknown as State
const NOTHING: readonly boolean[] = Object.freeze([])
const YES: readonly boolean[] = Object.freeze([true])
