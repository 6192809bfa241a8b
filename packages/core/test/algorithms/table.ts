import type { Algorithm, Rule, State } from '../../src/algorithms/index.ts'
import type { Edges } from '../../src/algorithms/algorithm.ts'
import { compileRule, type RuleNumbers } from '../../src/policy/rule-compiler.ts'

const MICROS = 1e6

/** One request to a counter, and the algorithm's answers. Times are in seconds. */
export type Row = readonly [at: number, cost: number, fits: boolean, remaining: number, wait: number]

/** A rule. The window is in seconds. */
export function ruleOf(
  numbers: Partial<RuleNumbers> & Pick<RuleNumbers, 'algorithm' | 'limit' | 'window'>,
): Rule {
  const { limit, window } = numbers
  return compileRule({
    counter: 'p',
    capacity: limit,
    precision: 10,
    cooldown: 0,
    floor: 1,
    ...numbers,
    window: window * MICROS,
  })
}

/**
 * Plays the requests of a table on one counter. Charges those that fit.
 *
 * @returns the table with the answers that the algorithm gave
 */
export function play(
  algorithm: Algorithm,
  rule: Rule,
  rows: readonly Row[],
  state: State = [],
  edges?: Edges,
): Row[] {
  return rows.map(([at, cost]) => {
    const now = at * MICROS
    const fits = algorithm.fits(state, now, cost, rule)
    const wait = algorithm.wait(state, now, cost, rule)
    if (fits && cost > 0) algorithm.charge(state, now, cost, rule, edges)
    return [at, cost, fits, algorithm.remaining(state, now, rule), wait / MICROS]
  })
}

/** Microseconds of a number of seconds. */
export function micros(seconds: number): number {
  return seconds * MICROS
}
