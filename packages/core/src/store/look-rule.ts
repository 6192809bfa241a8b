import type { Rule } from '../algorithms/index.ts'
import { type Demand, type Group, Mode } from './contract.ts'

/** The rule of a demand that reads and never writes. No counter is stored under it. */
export const LOOK_RULE: Rule = {
  code: 'f',
  counter: 'look:f',
  limit: 1,
  capacity: 1,
  unit: 1,
  rate: 1,
  window: 1e6,
  slice: 1e6,
  precision: 1,
  cooldown: 0,
  reduced: undefined,
}

/** A group that charges and stores nothing. It tests whether a store decides and replies as expected. */
export const LOOK_GROUP: Group = {
  demands: [{ rule: LOOK_RULE, subject: 'look', cost: 1, mode: Mode.PEEK, penalized: false }],
}

/** A demand that is always refused, on a counter that is never stored. */
export const REFUSED: Omit<Demand, 'subject'> = {
  rule: LOOK_RULE,
  cost: LOOK_RULE.capacity + 1,
  mode: Mode.CHARGE,
  penalized: false,
}
