import { type Group, LOOK_RULE, Mode } from '@halt/core/store'

/** A group that charges and stores nothing. It tests whether the script runs and replies as expected. */
export const PEEK_GROUP: Group = {
  demands: [{ rule: LOOK_RULE, subject: 'look', cost: 1, mode: Mode.PEEK, penalized: false }],
}
