import { fixedWindow } from './fixed-window.ts'
import type { Algorithm, Letter } from './rule.ts'
import { slidingWindow } from './sliding-window.ts'
import { tokenBucket } from './token-bucket.ts'

/** The algorithms by their letter. To add one: a file here, a row here, its mirror in the Redis script. */
export const algorithms: Readonly<Record<Letter, Algorithm>> = {
  t: tokenBucket,
  f: fixedWindow,
  s: slidingWindow,
  c: slidingWindow,
  q: fixedWindow,
}

export { penalty } from './penalty.ts'
export type { PenaltyRule } from './penalty.ts'
export { letters, MAX_EXACT } from './rule.ts'
export type { Algorithm, Edges, Letter, Rule, State } from './rule.ts'
