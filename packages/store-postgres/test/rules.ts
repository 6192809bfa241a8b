import { type Demand, type Group, Mode, type Rule } from '@halt/core/store'

/** A token bucket of 5 a minute, changed by some fields. */
export function bucket(changes: Partial<Rule> = {}): Rule {
  const rule: Rule = {
    code: 't',
    counter: 'api:t',
    limit: 5,
    capacity: 5,
    unit: 12_000_000,
    rate: 1,
    window: 60e6,
    slice: 6e6,
    precision: 10,
    cooldown: 0,
    reduced: undefined,
  }
  return { ...rule, ...changes }
}

/** The charge of one unit, changed by some fields. */
export function demand(subject: string, rule: Rule = bucket(), changes: Partial<Demand> = {}): Demand {
  return { rule, subject, cost: 1, mode: Mode.CHARGE, penalized: false, ...changes }
}

/** A group of demands. */
export function group(...demands: Demand[]): Group {
  return { demands }
}
