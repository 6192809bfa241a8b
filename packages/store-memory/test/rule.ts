import type { Rule } from '@halt/core/store'

/** 2 units in 60 seconds. */
export const rule: Rule = {
  code: 't',
  counter: 'p:t',
  limit: 2,
  capacity: 2,
  unit: 30e6,
  rate: 1,
  window: 60e6,
  slice: 6e6,
  precision: 10,
  cooldown: 0,
  reduced: undefined,
}
