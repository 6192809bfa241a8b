import { type Group, Mode, type Rule } from '@halt/core/store'

import type { Charged } from './charged.ts'
import type { Step } from './random-groups.ts'
import { randomNumbers } from './random-numbers.ts'
import { randomFollowUp } from './random-places.ts'
import { LINES } from './random-terms.ts'

const SECOND = 1e6

/**
 * Writes a random history of long lines in front of one or two buckets: callers come in bursts, leave in the middle, start, and have
 * units given back, while limits change, cool-downs begin, and the clock jumps.
 *
 * @param stepsBack whether the clock steps back, too
 */
export function randomLines(seed: number, steps: number, stepsBack: boolean): Step[] {
  const random = randomNumbers(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  // The far bucket has a cool-down, so a refusal stops its line.
  const cooling = (rule: Rule): Rule => ({ ...rule, cooldown: 0.2 * SECOND })
  const rulesOf = (i: number): Rule =>
    random() < 0.85 ? (LINES[i]?.[1] as Rule) : pick(LINES[i] as readonly Rule[])
  const come = (): Group => {
    const cost = pick([1, 1, 1, 2, 3])
    const maxWait = pick([300_000, 4 * SECOND, 3600 * SECOND, 3600 * SECOND, 3600 * SECOND])
    const indexes = pick([[0], [0], [0], [2], [0, 1]])
    const isPeek = indexes.length === 1 && random() < 0.06
    const demands = indexes.map(i => ({
      rule: random() < 0.1 ? cooling(rulesOf(i)) : rulesOf(i),
      subject: 'user:42',
      cost,
      mode: isPeek ? Mode.PEEK : Mode.CHARGE,
      penalized: false,
      terms: isPeek || random() < 0.1 ? undefined : { maxWait },
    }))
    return { demands }
  }
  const block = (): Group => {
    const own = rulesOf(pick([0, 2]))
    const rule = random() < 0.3 ? { ...own, cooldown: 0 } : cooling(own)
    return { demands: [{ rule, subject: 'user:42', cost: 0, mode: Mode.BLOCK, penalized: false }] }
  }
  return Array.from({ length: steps }, () => {
    const back = stepsBack && random() < 0.05
    const advance = back ? -pick([1, 40_000, 700_000]) : pick([0, 0, 0, 1, 1_000, 50_000, 250_000, 700_001])
    const jump = random() < 0.01 ? pick([4, 30, 7200]) * SECOND : 0
    const count = 1 + Math.floor(random() * 5)
    const isLeaving = random() < 0.5
    return {
      advance: advance + jump,
      groups: (past: readonly Charged[]): Group[] =>
        Array.from({ length: count }, () => {
          if (random() < 0.02) return [block()]
          return isLeaving ? randomFollowUp(random, pick, past) : [come()]
        }).flat(),
    }
  })
}
