import { codes, type Demand, Mode, type Rule, type Terms } from '@halt/core/store'
import { compileRule } from '@halt/core/testing'

const SECOND = 1e6

/** Picks an entry of a list. */
export type Pick = <T>(list: readonly T[]) => T

/** Picks what the demands of a request do: all peek, or each charges, only reports, or is charged later. */
export function randomAsk(random: () => number, pick: Pick): () => Mode {
  if (random() < 0.15) return () => Mode.PEEK
  return () => pick([...Array<Mode>(6).fill(Mode.CHARGE), Mode.SHADOW, Mode.DEFER])
}

/**
 * Picks what a caller accepts instead of its whole cost at once. Undefined for a caller that accepts nothing else. Who only peeks neither
 * waits nor takes less.
 */
export function randomTerms(random: () => number, pick: Pick, cost: number, mode: Mode): Terms | undefined {
  if (random() < 0.7) return undefined
  const headroom = pick([undefined, undefined, 0, 0.1, 1 / 3, 0.5, 1])
  if (mode === Mode.PEEK) return { headroom }
  const maxWait = pick([undefined, 0, 40_000, 300_000, SECOND, 4 * SECOND, 3600 * SECOND])
  const least = cost > 1 && random() < 0.5 ? pick([1, 2, 9].filter(fewest => fewest < cost)) : undefined
  return { maxWait, least, headroom }
}

/** The rules of three buckets in front of which callers stand, each with other numbers now and then. */
export const LINES: readonly (readonly Rule[])[] = ['line', 'shared', 'far'].map(counter =>
  [3, 4, 100].map((limit, i) =>
    compileRule(
      {
        algorithm: 'token-bucket',
        counter: `p_${counter}`,
        limit,
        capacity: [1, 3, 5][i] as number,
        window: 2 * SECOND,
        precision: 10,
        cooldown: counter === 'far' ? 0.2 * SECOND : 0,
        floor: 1,
      },
      0.5,
    ),
  ),
)

/**
 * Picks demands of callers that stand in line together: one to three buckets, mostly with the same patience, as a limiter asks
 * for them. Sometimes a demand beside them only counts, or its counter cannot keep a place.
 *
 * @param subjects one for each demand
 */
export function randomLine(
  random: () => number,
  pick: Pick,
  subjects: readonly string[],
  rules: readonly Rule[],
): Demand[] {
  const cost = pick([1, 1, 1, 2, 2, 3, 5])
  const maxWait = pick([300_000, SECOND, 4 * SECOND, 60 * SECOND, 3600 * SECOND])
  const least = cost > 1 && random() < 0.4 ? pick([1, 2].filter(fewest => fewest < cost)) : undefined
  const isSteady = random() < 0.8
  return subjects.map((subject, i): Demand => {
    const isOther = random() < 0.1
    const rule = isOther
      ? pick(rules.filter(({ code }) => code !== codes.quota))
      : pick(LINES[i] as readonly Rule[])
    const headroom = random() < 0.15 ? pick([0.1, 0.5]) : undefined
    return {
      rule: isSteady && !isOther ? (LINES[i]?.[1] as Rule) : rule,
      subject,
      cost,
      mode: pick([...Array<Mode>(12).fill(Mode.CHARGE), Mode.SHADOW, Mode.DEFER]),
      penalized: random() < 0.5,
      terms: random() < 0.1 ? undefined : { maxWait, least, headroom },
    }
  })
}
