import { type Demand, type Group, Mode, type Rule } from '@halt/core/store'

/** A window of 100 units that no test outlives. */
export const DAY: Rule = {
  code: 'f',
  counter: 'day:f',
  limit: 100,
  capacity: 100,
  unit: 1,
  rate: 1,
  window: 86_400e6,
  slice: 86_400e6,
  precision: 1,
  cooldown: 0,
  reduced: undefined,
}

export function demand(subject: string, rule: Rule = DAY, mode: Mode = Mode.CHARGE): Demand {
  return { rule, subject, cost: 1, mode, penalized: false }
}

export function group(...demands: Demand[]): Group {
  return { demands }
}
