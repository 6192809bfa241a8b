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

/** The algorithm of a rule: the table, with the commonest row first. */
export function algorithmOf({ letter }: { readonly letter: Letter }): Algorithm {
  return letter === 't' ? tokenBucket : algorithms[letter]
}

export { type Edges, periodEnd } from './period.ts'
export { granted } from './fixed-window.ts'
export { penalty } from './abuse-score.ts'
export type { PenaltyRule } from './abuse-score.ts'
export { letters, MAX_EXACT } from './rule.ts'
export type { Algorithm, Letter, Rule, State } from './rule.ts'
