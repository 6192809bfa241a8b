import { fixedWindow } from './fixed-window.ts'
import type { Algorithm, AlgorithmCode } from './rule.ts'
import { slidingWindow } from './sliding-window.ts'
import { tokenBucket } from './token-bucket.ts'

/** The algorithms by their letter. To add one: a file here, a row here, its mirror in the Redis script. */
export const algorithms: Readonly<Record<AlgorithmCode, Algorithm>> = {
  t: tokenBucket,
  f: fixedWindow,
  s: slidingWindow,
  c: slidingWindow,
  q: fixedWindow,
}

/** The algorithm of a rule: the table, with the commonest row first. */
export function algorithmOf({ code }: { readonly code: AlgorithmCode }): Algorithm {
  return code === 't' ? tokenBucket : algorithms[code]
}

export { type Edges, periodEnd } from './period.ts'
export { granted } from './fixed-window.ts'
export { abuseScore as penalty } from './abuse-score.ts'
export type { PenaltyRule } from './abuse-score.ts'
export { codes, MAX_EXACT } from './rule.ts'
export type { Algorithm, AlgorithmCode, Rule, State } from './rule.ts'
